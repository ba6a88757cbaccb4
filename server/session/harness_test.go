package session

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/logging"
	"go.uber.org/goleak"

	"mindflow/pipeline"
	"mindflow/pipeline/schedule"
	"mindflow/server/offer"
	"mindflow/server/operate"
	"mindflow/server/ports"
	"mindflow/server/sdpfrag"
	"mindflow/server/servertest"
	"mindflow/server/whipclient"
)

// pionLogs are logs of Pion that nobody reads.
func pionLogs() logging.LoggerFactory {
	return ports.PionLogs{Log: slog.New(slog.DiscardHandler)}
}

// host serves sessions to WHIP clients with the least HTTP that these need.
type host struct {
	*Factory
	cfg  Config
	url  string
	stop context.CancelFunc
	ctx  context.Context // of all sessions

	mu       sync.Mutex
	sessions map[string]*Session
	work     sync.WaitGroup
}

// begin serves until the test ends, and then checks that nothing is left running.
func begin(t testing.TB, e Engine, change func(*Config)) *host {
	t.Helper()
	before := goleak.IgnoreCurrent()
	log := slog.New(slog.NewTextHandler(servertest.Log{T: t}, nil))
	media, err := ports.OpenMedia(ports.MediaConfig{UDP: "127.0.0.1:0", Log: log})
	if err != nil {
		t.Fatal(err)
	}
	codecs, err := offer.NewCodecs(nil)
	if err != nil {
		t.Fatal(err)
	}
	h := &host{sessions: map[string]*Session{}}
	h.cfg = Config{
		Engine: &e, Codecs: codecs, Ports: media,
		Timing:   Timing{NoMedia: time.Hour}, // a busy machine ends no session before its time
		OnLabels: func(time.Duration) {}, Metrics: operate.NewMetrics("test"),
		Log: log,
	}
	if change != nil {
		change(&h.cfg)
	}
	if h.Factory, err = NewFactory(h.cfg); err != nil {
		t.Fatal(err)
	}
	h.ctx, h.stop = context.WithCancel(context.Background())
	web := httptest.NewServer(h)
	h.url = web.URL
	t.Cleanup(func() {
		h.stop()
		h.work.Wait()
		web.Close()
		if err := media.Close(); err != nil {
			t.Error(err)
		}
		servertest.NoGoroutines(t, before)
	})
	return h
}

// ServeHTTP serves POST, PATCH and DELETE of RFC 9725.
func (h *host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	id := strings.TrimPrefix(r.URL.Path, "/")
	switch r.Method {
	case http.MethodPost:
		h.publish(w, r, body)
	case http.MethodPatch:
		f, err := sdpfrag.Parse(string(body))
		var a Answer
		if err == nil {
			a, err = h.find(id).Patch(r.Context(), r.Header.Get("If-Match"), f)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", sdpfrag.MediaType)
		w.Header().Set("ETag", a.ETag)
		if a.SDP == "" {
			w.WriteHeader(http.StatusNoContent)
		}
		_, _ = io.WriteString(w, a.SDP)
	case http.MethodDelete:
		if s := h.find(id); s != nil {
			s.End(EndDeleted)
			<-s.Done()
		}
	}
}

func (h *host) publish(w http.ResponseWriter, r *http.Request, body []byte) {
	h.mu.Lock()
	id := fmt.Sprintf("session-%d", len(h.sessions))
	h.mu.Unlock()
	s, answer, err := h.open(r.Context(), id, body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	h.mu.Lock()
	h.sessions[id] = s
	h.mu.Unlock()
	h.work.Add(1)
	go func() { defer h.work.Done(); s.Run() }()
	w.Header().Set("Content-Type", "application/sdp")
	w.Header().Set("Location", "/"+id)
	w.Header().Set("ETag", answer.ETag)
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, answer.SDP)
}

// open makes a session for an offer.
func (h *host) open(ctx context.Context, id string, body []byte) (*Session, Answer, error) {
	o, err := h.cfg.Codecs.Parse(body, h.cfg.Log)
	if err != nil {
		return nil, Answer{}, err
	}
	s, err := h.New(h.ctx, Options{ID: id, Analysis: h.cfg.Engine.Analyses[0]})
	if err != nil {
		return nil, Answer{}, err
	}
	a, err := s.Accept(ctx, o)
	if err != nil {
		s.Discard()
	}
	return s, a, err
}

func (h *host) find(id string) *Session {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sessions[id]
}

// live returns the sessions that have not ended.
func (h *host) live() (list []*Session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.sessions {
		select {
		case <-s.Done():
		default:
			list = append(list, s)
		}
	}
	return list
}

// only returns the one session there is.
func (h *host) only(t *testing.T) *Session {
	t.Helper()
	list := h.live()
	if len(list) != 1 {
		t.Fatalf("%d sessions", len(list))
	}
	return list[0]
}

// ended waits until there are no sessions.
func (h *host) ended(t *testing.T) {
	t.Helper()
	servertest.WaitFor(t, "the session to end", func() bool { return len(h.live()) == 0 })
}

// publishText posts an offer and returns its session and the answer.
func (h *host) publishText(t *testing.T, offer string) (*Session, string) {
	t.Helper()
	res, err := http.Post(h.url, "application/sdp", strings.NewReader(offer))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusCreated {
		t.Fatalf("status %d: %s, %v", res.StatusCode, text, err)
	}
	return h.find(strings.TrimPrefix(res.Header.Get("Location"), "/")), string(text)
}

// silent opens a session that no peer connects to.
func (h *host) silent(t *testing.T) *Session {
	t.Helper()
	sess, _ := h.publishText(t, servertest.Lines(servertest.Offer))
	return sess
}

// dial publishes to h.
func dial(t testing.TB, h *host, o whipclient.Options) servertest.Publisher {
	t.Helper()
	return servertest.Dial(t, h.url, o)
}

// newRelay makes a network before h that loses datagrams.
func newRelay(t testing.TB, h *host, lose func(n int, toServer bool) bool) *servertest.Relay {
	t.Helper()
	return servertest.NewRelay(t, net.UDPAddrFromAddrPort(h.cfg.Ports.Addrs()[0]), servertest.Lose(lose))
}

// engine returns an engine with the real decoder.
func engine(analyses ...pipeline.Analysis) Engine {
	return Engine{
		OpenDecoder: servertest.OpenDecoder, Analyses: analyses, Scheduler: schedule.New(1, schedule.Batching{}),
	}
}

// idle is an engine for tests in which no frame is analysed.
func idle() Engine { return engine(servertest.NoModel()) }

// decoding is an engine that finds a face in every frame.
func decoding(o servertest.OneFace) Engine { return engine(o.Analysis()) }

// soon has the session end when from now on it sends nothing for so long: to connect, a busy machine may need longer.
func (s *Session) soon(d time.Duration) {
	s.do(func() {
		s.timing.NoMedia = d
		s.heard.Store(time.Now().UnixNano())
		s.checkIdle()
	})
}
