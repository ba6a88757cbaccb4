package server

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"mindflow/server/sdpfrag"
	"mindflow/server/servertest"
)

// directClient sends requests straight to a server's routes, without a network.
type directClient struct {
	server *Server
	routes http.Handler
}

func newDirectClient(f *testing.F) directClient {
	f.Helper()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	s, err := New(Config{Listen: "127.0.0.1:0", MediaPorts: MediaPorts{Media: "127.0.0.1:0"}, Log: log}, idle())
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		if err := s.shutdown(&http.Server{}); err != nil {
			f.Error(err)
		}
		if err := s.web.Close(); err != nil {
			f.Error(err)
		}
	})
	return directClient{s, s.routes()}
}

// ask sends a request and checks what holds for every answer: whatever an unauthenticated client sends is no fault of
// the server's, and a refusal gives its reason.
func (s directClient) ask(t *testing.T, c call) *http.Response {
	t.Helper()
	req := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
	for key, value := range c.header {
		req.Header.Set(key, value)
	}
	w := httptest.NewRecorder()
	s.routes.ServeHTTP(w, req)
	if faults := s.server.metrics.Panics.Load(); faults > 0 || w.Code >= 500 {
		t.Errorf("%s %s: %d, %d panics: %s", c.method, c.path, w.Code, faults, w.Body)
	}
	if w.Code >= 400 && !strings.Contains(w.Body.String(), `"detail":"`) {
		t.Errorf("%d without a reason: %s", w.Code, w.Body)
	}
	return w.Result()
}

// end ends the session at a path, after which nothing is left of it.
func (s directClient) end(t *testing.T, location string) {
	t.Helper()
	if res := s.ask(t, call{"DELETE", location, nil, ""}); res.StatusCode != http.StatusOK {
		t.Errorf("DELETE gave %d", res.StatusCode)
	}
	if n := s.server.Stats().Sessions; n != 0 {
		t.Errorf("%d sessions are left", n)
	}
}

// FuzzOffer posts a body as an offer: all of the handler, and Pion behind it.
func FuzzOffer(f *testing.F) {
	replace := func(old, by string) string { return servertest.Lines(strings.Replace(servertest.Offer, old, by, 1)) }
	f.Add(servertest.Lines(servertest.Offer))
	f.Add(replace("a=mid:1\n", "a=mid:1\na=simulcast:send h;;l\n"))
	f.Add(replace("a=mid:1\n", "a=mid:1\na=candidate:1 1 udp 1 192.0.2.1 1 typ host\na=end-of-candidates\n"))
	f.Add(replace("m=video 9", "m=video 0"))
	f.Add(replace("a=group:BUNDLE 0 1 2", "a=group:BUNDLE 0"))
	f.Add(replace("a=sendonly", "a=inactive"))
	f.Add(replace("a=group:BUNDLE 0 1 2\n", ""))
	f.Add(replace("a=ssrc:2231627014 cname:A\na=ssrc:632943048 cname:A\n", "a=rid:h send\na=rid:l send\n"))
	f.Add(replace("a=mid:1\n", "a=mid:1\na=ssrc-group:FEC-FR 1 2\na=candidate:1 1 udp 1 a.example 1 typ host\n"))
	f.Add("v=0\r\n")
	s := newDirectClient(f)
	f.Fuzz(func(t *testing.T, body string) {
		res := s.ask(t, offerCall(body))
		if res.StatusCode == http.StatusCreated {
			s.end(t, sessionPath(t, res))
		}
		if n := s.server.Stats().Sessions; n != 0 {
			t.Errorf("%d sessions are left", n)
		}
	})
}

// FuzzPatch sends a fragment to a session that a good offer opened.
func FuzzPatch(f *testing.F) {
	const host = "1 1 udp 2122260223 192.0.2.1 61764 typ host"
	f.Add(
		sdpfrag.Fragment{
			Ufrag:      "EsAw",
			Pwd:        "bP+XJMM09aR8AiX1jdukzR6Y",
			Candidates: []sdpfrag.Candidate{{Mid: "0", Value: host}},
		}.String(),
		true,
	)
	f.Add(
		sdpfrag.Fragment{
			Ufrag:      "new1",
			Pwd:        "newnewnewnewnewnewnewnew",
			Candidates: []sdpfrag.Candidate{{Mid: "1", Value: host}},
		}.String(),
		false,
	)
	f.Add("a=ice-ufrag:EsAw\r\na=end-of-candidates\r\n", true)
	f.Add("a=ice-ufrag:x\r\na=ice-pwd:y\r\n", false)
	s := newDirectClient(f)
	f.Fuzz(func(t *testing.T, body string, current bool) {
		res := s.ask(t, offerCall(servertest.Lines(servertest.Offer)))
		location, tag := sessionPath(t, res), "*"
		if current {
			tag = res.Header.Get("ETag")
		}
		patch := call{"PATCH", location, map[string]string{"Content-Type": sdpfrag.MediaType, "If-Match": tag}, body}
		s.ask(t, patch)
		s.ask(t, patch)
		s.end(t, location)
	})
}
