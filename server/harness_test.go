package server

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mindflow/pipeline"
	"mindflow/pipeline/schedule"
	"mindflow/server/servertest"
	"mindflow/server/session"
	"mindflow/server/whipclient"
)

// begin serves on ports of the system's choice until the test ends, and then checks that nothing is
// left running.
func begin(t testing.TB, e session.Engine, change func(*Config)) *Server {
	t.Helper()
	before := goleak.IgnoreCurrent()
	cfg := Config{
		Listen: "127.0.0.1:0", MediaPorts: MediaPorts{Media: "127.0.0.1:0"},
		Log:     slog.New(slog.NewTextHandler(servertest.Log{T: t}, nil)),
		EndTime: servertest.Patience, // a busy machine ends no session and no server before its time
	}
	cfg.timing.NoMedia = time.Hour
	if change != nil {
		change(&cfg)
	}
	s, err := New(cfg, e)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
		servertest.NoGoroutines(t, before)
	})
	return s
}

func (s *Server) url(path string) string { return "http://" + s.Addr().String() + path }

// sessionPath returns the path of the session that an answer to POST /whip names.
func sessionPath(t testing.TB, res *http.Response) string {
	t.Helper()
	location := res.Header.Get("Location")
	at, err := (&url.URL{Path: "/whip"}).Parse(location)
	if err != nil || location == "" {
		t.Fatalf("status %d, Location %q: %v", res.StatusCode, location, err)
	}
	return at.Path
}

// engine returns an engine with the real decoder.
func engine(analyses ...pipeline.Analysis) session.Engine {
	return session.Engine{
		OpenDecoder: servertest.OpenDecoder, Analyses: analyses, Scheduler: schedule.New(1, schedule.Batching{}),
	}
}

// idle is an engine for tests in which no frame is analysed.
func idle() session.Engine { return engine(servertest.NoModel()) }

// decoding is an engine that finds a face in every frame.
func decoding(o servertest.OneFace) session.Engine { return engine(o.Analysis()) }

// dial publishes to s.
func dial(t testing.TB, s *Server, o whipclient.Options) servertest.Publisher {
	t.Helper()
	return servertest.Dial(t, s.url("/whip"), o)
}

// newRelay makes a network before s that loses datagrams.
func newRelay(t testing.TB, s *Server, lose func(n int, toServer bool) bool) *servertest.Relay {
	t.Helper()
	return servertest.NewRelay(t, s.MediaAddr(), servertest.Lose(lose))
}

// only returns the one session there is.
func (s *Server) only(t *testing.T) *hosted {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.sessions) != 1 {
		t.Fatalf("%d sessions", len(s.sessions))
	}
	for _, sess := range s.sessions {
		return sess
	}
	return nil
}
