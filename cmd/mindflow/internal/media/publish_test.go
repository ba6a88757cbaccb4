package media

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"

	"mindflow/cmd/mindflow/internal/clitest"
	"mindflow/pipeline"
	"mindflow/pipeline/camera"
	"mindflow/server/whipclient"
)

// TestCameraPublishRefused: a transient refusal is tried again when the server says; another ends with the server's
// words. The token goes in the header alone and is printed nowhere.
func TestCameraPublishRefused(t *testing.T) {
	clitest.NoLeaks(t)
	answers := []struct {
		status int
		retry  string
	}{{503, "1"}, {502, ""}, {401, ""}}
	var at []time.Time
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer s3cret" || r.URL.String() != "/whip" ||
			r.Method != http.MethodPost {
			t.Errorf("%s %s with %q", r.Method, r.URL, r.Header.Get("Authorization"))
		}
		answer := answers[min(len(at), len(answers)-1)]
		at = append(at, time.Now())
		w.Header().Set("Content-Type", "application/problem+json")
		if answer.retry != "" {
			w.Header().Set("Retry-After", answer.retry)
		}
		w.WriteHeader(answer.status)
		fmt.Fprintf(w, `{"status":%d,"detail":"words of the server"}`, answer.status)
	}))
	defer web.Close()
	how := &cameraFlags{synthetic: true, size: "160x120", rate: 30, bitrate: 300, publish: web.URL, token: "s3cret"}
	if err := how.check(); err != nil {
		t.Fatal(err)
	}
	device, err := how.open()
	if err != nil {
		t.Fatal(err)
	}
	var aside bytes.Buffer
	err = publish(t.Context(), how, device, newLabelPrinter(io.Discard, &aside, true))
	if err == nil || !strings.Contains(err.Error(), "401 Unauthorized: words of the server") {
		t.Errorf("it ended with %v", err)
	}
	if len(at) != 3 || at[1].Sub(at[0]) < time.Second {
		t.Errorf("requests at %v", at)
	}
	said := aside.String()
	if strings.Count(said, "\n") != 2 || !strings.Contains(said, "503 Service Unavailable: words of the server; "+
		"trying again in 1s") ||
		strings.Contains(said+err.Error(), "s3cret") {
		t.Errorf("it said %s", said)
	}
}

func TestTransient(t *testing.T) {
	for status, want := range map[int]bool{
		400: false, 401: false, 403: false, 404: false, 405: false, 406: false, 408: true, 415: false, 422: false,
		429: true, 500: true, 502: true, 503: true,
	} {
		err := fmt.Errorf("publish: %w", &whipclient.RefusedError{Status: status})
		if transient(err) != want {
			t.Errorf("%v passes: %v", err, !want)
		}
	}
	for reason, want := range map[string]bool{
		"draining": true, "shutdown": true, "closed": true, "failed": true, "no-media": true, "idle": true,
		"internal": true, "unheard-of": true,
		"deleted": false, "abuse": false, "too-large": false,
	} {
		if transient(&byeError{reason}) != want {
			t.Errorf("bye %q passes: %v", reason, !want)
		}
	}
	if !transient(errors.New("connection refused")) ||
		transient(errors.Join(&permanentError{"no"}, errors.New("close"))) {
		t.Error("a server that is gone passes, our own fault does not")
	}
}

// TestSenderTimes: RTP timestamps become times since the first frame, also where their 32 bits wrap and for late
// labels.
func TestSenderTimes(t *testing.T) {
	var s sender
	for _, c := range []struct {
		latest int64
		behind uint32
		want   time.Duration
	}{
		{0, 0, 0},
		{9000, 9000, 0},
		{1 << 32, 0, 13*time.Hour + 15*time.Minute + 21*time.Second + 858844444},
		{1<<32 + 90, 9000, 13*time.Hour + 15*time.Minute + 21*time.Second + 759844444},
	} {
		s.latest.Store(c.latest)
		if got := s.at(uint32(c.latest) - c.behind); got != c.want {
			t.Errorf("%d behind %d is %v, want %v", c.behind, c.latest, got, c.want)
		}
	}
}

// TestSenderAnswersKeyframeRequests: after a lost frame the server asks for a key frame, and labels go on.
func TestSenderAnswersKeyframeRequests(t *testing.T) {
	clitest.NoLeaks(t)
	listen := clitest.FreePort(t)
	defer hosting(t, listen)()
	ctx, stop := context.WithTimeout(t.Context(), clitest.Patience)
	defer stop()
	device, err := camera.Synthetic(camera.Settings{Width: 160, Height: 120, Rate: 30})
	if err != nil {
		t.Fatal(err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	defer transport.CloseIdleConnections()
	frames, last := 0, uint32(0)
	c, err := whipclient.Dial(ctx, "http://"+listen+"/whip", whipclient.Options{Codec: pipeline.VP8,
		Client: &http.Client{Transport: transport},
		Drop: func(p *rtp.Packet) bool {
			if p.Timestamp != last {
				frames, last = frames+1, p.Timestamp
			}
			return frames == 5
		}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	f := startSource(ctx, device, camera.Settings{Width: 160, Height: 120, Rate: 30}, newLabelPrinter(io.Discard,
		io.Discard, true))
	s := &sender{source: f, client: c, bitrate: 300_000, done: make(chan struct{})}
	go s.run(ctx)
	for lost := uint64(0); lost == 0; {
		select {
		case m := <-c.Labels():
			lost = m.Dropped["lost"]
		case <-s.done:
			t.Fatal(s.err)
		}
	}
	stop()
	<-s.done
	if err := f.close(); err != nil {
		t.Error(err)
	}
}

// TestCameraPublishNothing: a video that ends before a server accepts it was not published.
func TestCameraPublishNothing(t *testing.T) {
	clitest.NoLeaks(t)
	text, err := cameraLines(t, -1, "--input", clitest.Blank(t, "blank.mp4"), "--publish",
		"http://"+clitest.FreePort(t))
	if err == nil || !strings.Contains(err.Error(), "connection refused") || text != "" {
		t.Errorf("%v after %q", err, text)
	}
}
