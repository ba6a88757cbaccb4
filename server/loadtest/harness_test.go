package loadtest

import (
	"bufio"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mindflow/models/engine"
	"mindflow/pipeline"
	"mindflow/pipeline/avdec"
	"mindflow/pipeline/synthetic"
	"mindflow/pipeline/testkit"
	"mindflow/pipeline/vpx"
	"mindflow/server"
	serversession "mindflow/server/session"
)

// patience bounds what the tests wait for; they go on as soon as it is there.
const patience = 2 * time.Minute

var small = Coding{Width: 160, Height: 120, Rate: 30, Bitrate: 300_000}

// coded is the drawn face, for so long.
func coded(t *testing.T, c Coding, length time.Duration) []pipeline.Unit {
	t.Helper()
	film := synthetic.NewVideo(c.Width, c.Height, c.Rate, length)
	units, err := Code(t.Context(), film, c, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	return units
}

// hosted is a server with the real models, until stop or the test ends.
type hosted struct {
	url  string // of its WHIP endpoint
	stop func()

	mu     sync.Mutex          // guards all below
	events map[string][]uint64 // seqs that the server sent as events, by session
	work   sync.WaitGroup      // those who read them
}

func host(t *testing.T, sessions int) *hosted {
	t.Helper()
	return hostWithGrace(t, sessions, 0)
}

func hostWithGrace(t *testing.T, sessions int, grace time.Duration) *hosted {
	t.Helper()
	bin := filepath.Join(testkit.Root(), "bin")
	settings := engine.Settings{
		Models: filepath.Join(bin, "models"), Library: filepath.Join(bin, "lib", "libonnxruntime.so.1"),
		Detector: "blazeface-back", Classifiers: []string{"dan-ferplus"}, Threads: 1, MaxFaces: 4,
	}
	if _, err := os.Stat(settings.Library); err != nil {
		t.Skip("run make build first:", err)
	}
	before := goleak.IgnoreCurrent()
	e, err := engine.Open(settings)
	if err != nil {
		t.Fatal(err)
	}
	closeEngine := sync.OnceFunc(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(closeEngine)
	s, err := server.New(server.Config{
		Listen: "127.0.0.1:0", MediaPorts: server.MediaPorts{Media: "127.0.0.1:0"},
		Limits: server.Limits{MaxSessions: sessions},
		Grace:  grace, EndTime: patience,
	}, serversession.Engine{
		OpenDecoder: func(c pipeline.Codec) (pipeline.Decoder, error) { return avdec.Open(c, avdec.DefaultMaxPixels) },
		Analyses:    e.Analyses, Scheduler: e.Scheduler,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	h := &hosted{url: "http://" + s.Addr().String() + "/whip", events: map[string][]uint64{}}
	h.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	t.Cleanup(func() {
		h.stop()
		h.work.Wait()
		closeEngine()
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		testkit.NoLeaks(t, before)
		if n := vpx.Live(); n != 0 {
			t.Errorf("%d encoders are open", n)
		}
	})
	return h
}

// RoundTrip listens to the events of each session that begins.
func (h *hosted) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil || res.StatusCode != http.StatusCreated {
		return res, err
	}
	session, err := res.Location()
	if err != nil {
		return res, err
	}
	events, err := http.Get(session.String() + "/labels")
	if err != nil {
		return res, err
	}
	h.work.Add(1)
	go func() {
		defer h.work.Done()
		defer events.Body.Close()
		for scan := bufio.NewScanner(events.Body); scan.Scan(); {
			if id, found := strings.CutPrefix(scan.Text(), "id: "); found {
				seq, _ := strconv.ParseUint(id, 10, 64)
				h.mu.Lock()
				h.events[session.String()] = append(h.events[session.String()], seq)
				h.mu.Unlock()
			}
		}
	}()
	return res, nil
}

// plan is for a test of the server that ends soon.
func (h *hosted) plan(t *testing.T, sessions int) Plan {
	return Plan{
		URL: h.url, Client: &http.Client{Transport: h}, Sessions: sessions, Duration: 2 * time.Second,
		Units: coded(t, small, 4*time.Second), Rate: small.Rate, Progress: func(string) {},
	}
}
