package server

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"mindflow/pipeline"
	"mindflow/server/servertest"
	"mindflow/server/whipclient"
)

// A publisher without a browser keeps its place in the queue, and its place when its connection is lost.
func TestClientWaits(t *testing.T) {
	s := begin(t, idle(), func(c *Config) { c.MaxSessions, c.MaxWaiting = 1, 5 })
	first := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
	waits := func(ticket string) string {
		t.Helper()
		_, err := whipclient.Dial(t.Context(), s.url("/whip"), whipclient.Options{Codec: pipeline.VP8, Ticket: ticket})
		var refused *whipclient.RefusedError
		if !errors.As(err, &refused) || refused.Status != http.StatusServiceUnavailable || refused.RetryAfter == 0 ||
			refused.Ticket == "" {
			t.Fatalf("%v", err)
		}
		return refused.Ticket
	}
	ticket := waits("")
	if again := waits(ticket); again != ticket {
		t.Error("it lost its place in the queue")
	}
	back := dial(t, s, whipclient.Options{Codec: pipeline.VP8, Ticket: first.Ticket()}) // its network changed
	servertest.WaitFor(t, "the connection before to be replaced", func() bool {
		select {
		case <-first.Done():
			return true
		default:
			return false
		}
	})
	if err := back.Close(t.Context()); err != nil {
		t.Error(err)
	}
	next := dial(t, s, whipclient.Options{Codec: pipeline.VP8, Ticket: ticket})
	if next.Ticket() != ticket || s.Stats().Sessions != 1 {
		t.Errorf("%d sessions", s.Stats().Sessions)
	}
}

// A server that names a session elsewhere does not get the token sent there.
func TestTokenStaysAtHome(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Errorf("%s with the token", r.Method)
		}
	}))
	defer elsewhere.Close()
	s := begin(t, idle(), nil)
	home := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			t.Errorf("%s without the token", r.Method)
		}
		inner := httptest.NewRecorder()
		r.Header.Del("Authorization")
		r.URL.Path = "/whip"
		s.routes().ServeHTTP(inner, r)
		for key, values := range inner.Header() {
			w.Header()[key] = values
		}
		w.Header().Set("Location", elsewhere.URL+"/sessions/x")
		w.WriteHeader(inner.Code)
		_, _ = w.Write(inner.Body.Bytes())
	}))
	defer home.Close()
	c, err := whipclient.Dial(
		t.Context(),
		home.URL,
		whipclient.Options{Codec: pipeline.VP8, Token: "a-token-of-somebody"},
	)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
