package server

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"mindflow/pipeline"
	"mindflow/pipeline/testkit"
	"mindflow/server/operate"
	"mindflow/server/servertest"
	"mindflow/server/session"
	"mindflow/server/whipclient"
)

// draining serves, with one session that publishes, and begins to drain.
func draining(t *testing.T, grace time.Duration) (s *Server, p servertest.Publisher, served <-chan error) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	s, err := New(
		Config{
			Listen:     "127.0.0.1:0",
			MediaPorts: MediaPorts{Media: "127.0.0.1:0"},
			Grace:      grace,
			EndTime:    servertest.Patience,
		},
		decoding(servertest.OneFace{}),
	)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		servertest.NoGoroutines(t, before)
	})
	c, err := whipclient.Dial(t.Context(), s.url("/whip"), whipclient.Options{Codec: pipeline.VP8})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Abort() })
	p = servertest.Publisher{Client: c, T: t}
	p.Hello() // or the grace may be over before it hears anything
	p.Stream(testkit.TestSource(t, pipeline.VP8, 160, 120, 60))
	p.Label("labels", servertest.Any)
	stop()
	return s, p, ended
}

// TestDrain checks that a draining server admits nobody and asks its publishers to leave. A publisher that stays is
// served until the grace period ends.
func TestDrain(t *testing.T) {
	s, p, served := draining(t, time.Hour)
	if why := p.Bye(); why != "draining" {
		t.Fatalf("bye because of %q", why)
	}
	res, body := s.call(t, call{"GET", "/readyz", nil, ""})
	if res.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(body), `"phase":"draining"`) ||
		!strings.Contains(string(body), `"ready":false`) {
		t.Errorf("/readyz: %d %s", res.StatusCode, body)
	}
	if res, _ := s.call(t, call{"GET", "/healthz", nil, ""}); res.StatusCode != http.StatusOK {
		t.Errorf("/healthz: %d", res.StatusCode)
	}
	res, body = s.call(t, offerCall(servertest.Lines(servertest.Offer)))
	if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" ||
		!strings.Contains(string(body), "urn:mindflow:draining") {
		t.Errorf("a newcomer: %d, Retry-After %q: %s", res.StatusCode, res.Header.Get("Retry-After"), body)
	}
	seen := p.Label("labels while it drains", servertest.Any)
	p.Label("more of them", func(m pipeline.Message) bool { return m.Seq > seen.Seq+5 })
	if err := p.Close(t.Context()); err != nil { // a DELETE, which is still served
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
	servertest.NoDecoders(t)
}

// TestToldBeforeDone checks the order of events on a busy machine: a server reports that it is not ready before it
// refuses anybody, and counts a session's end before it frees the place.
func TestToldBeforeDone(t *testing.T) {
	s := begin(t, idle(), nil)
	_, _ = s.offer(t, "")
	sess := s.only(t)
	s.mu.Lock() // nothing is done
	defer s.mu.Unlock()
	sess.End(session.EndAbuse)
	servertest.WaitFor(t, "the end to be counted", func() bool {
		return testutil.ToFloat64(s.metrics.Ended.WithLabelValues(string(session.EndAbuse))) == 1 &&
			testutil.ToFloat64(s.metrics.Sessions) == 0
	})
	go s.drain(&http.Server{})
	servertest.WaitFor(
		t,
		"the server to say that it is not ready",
		func() bool { return s.cfg.Readiness.Report().Phase == operate.Draining },
	)
	if s.closing {
		t.Error("it refuses newcomers already")
	}
}

// When the grace is over, or somebody is in a hurry, the sessions that are left are ended as at any end.
func TestDrainEnds(t *testing.T) {
	for name, row := range map[string]struct {
		grace time.Duration
		then  func(*Server)
	}{
		"the grace is over": {50 * time.Millisecond, func(*Server) {}},
		"in a hurry":        {time.Hour, func(s *Server) { s.Hurry(); s.Hurry() }},
	} {
		t.Run(name, func(t *testing.T) {
			s, p, served := draining(t, row.grace)
			if why := p.Bye(); why != "draining" {
				t.Fatalf("bye because of %q", why)
			}
			row.then(s)
			if why := p.Bye(); why != "shutdown" {
				t.Errorf("then bye because of %q", why)
			}
			if err := <-served; err != nil {
				t.Error(err)
			}
			servertest.NoDecoders(t)
		})
	}
}

// Who reads events hears of it too, and reads on.
func TestDrainTellsReaders(t *testing.T) {
	s, sess, url := silent(t, nil)
	_, events := listen(t, url+"/labels", "")
	close(s.draining)
	for e, ok := events.next(); e.kind != "bye"; e, ok = events.next() {
		if !ok {
			t.Fatal("the stream ended without a bye")
		}
	}
	tell(sess, 1, 1)
	events.ids(1)
	sess.End(session.EndDeleted)
	servertest.WaitFor(t, "the session to end", func() bool { return s.Stats().Sessions == 0 })
	if e, _ := events.next(); e.kind != "bye" || e.data != `{"v":1,"type":"bye","reason":"deleted"}` {
		t.Errorf("the stream ended with %+v", e)
	}
}

// A connection that a browser opened in advance does not hold up the server's end, which begin waits for.
func TestUnusedConnectionsDoNotHoldTheEnd(t *testing.T) {
	var conn net.Conn
	t.Cleanup(func() { conn.Close() })                                     // after the server's end
	s := begin(t, idle(), func(c *Config) { c.EndTime = 4 * time.Second }) // Shutdown alone waits for five
	var err error
	conn, err = net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	servertest.WaitFor(t, "the connection", func() bool {
		_, unused := s.conns.Open()
		return unused == 1
	})
}

// TestAbuseFreesThePlace floods the only place of a server through the control channel until the session ends. Another
// publisher is then admitted.
func TestAbuseFreesThePlace(t *testing.T) {
	s := begin(t, idle(), func(c *Config) { c.MaxSessions = 1 })
	p := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
	p.Hello()
	sess := s.only(t)
	flooded := make(chan struct{})
	go func() {
		defer close(flooded)
		for range 2000 {
			if p.SendControl("rubbish") != nil {
				return
			}
		}
	}()
	<-sess.gone
	<-flooded
	if why := sess.Reason(); why != session.EndAbuse {
		t.Errorf("the session ended with %q", why)
	}
	dial(t, s, whipclient.Options{Codec: pipeline.VP8})
}
