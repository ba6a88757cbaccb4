package server

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"mindflow/pipeline"
	"mindflow/pipeline/testkit"
	"mindflow/server/access"
	"mindflow/server/servertest"
	"mindflow/server/whipclient"
)

// spoken is a log that the test reads.
type spoken struct {
	mu   sync.Mutex
	text strings.Builder // guarded by mu
}

func (s *spoken) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(line)
}

func (s *spoken) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// answers is a publisher's HTTP transport that keeps what the server answered.
type answers struct{ spoken }

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.TeeReader(res.Body, a))
	_ = res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res, err
}

// passwords returns the different passwords of ICE, in order.
func (a *answers) passwords() (list []string) {
	for _, line := range strings.Split(a.String(), "\r\n") {
		if pwd, ok := strings.CutPrefix(line, "a=ice-pwd:"); ok && !slices.Contains(list, pwd) {
			list = append(list, pwd)
		}
	}
	return list
}

// TestNothingSecretIsLogged has everything logged that can be, while a session is opened, used, restarted, broken and
// ended, by who may and who may not. Who knows a session's id may end it, so its log names the beginning alone.
func TestNothingSecretIsLogged(t *testing.T) {
	const token, wrong = "0123456789-0123456789-0123456789-right", "0123456789-0123456789-0123456789-wrong"
	gate, err := access.New([]string{token}, access.Signed{})
	if err != nil {
		t.Fatal(err)
	}
	log := &spoken{}
	s := begin(t, decoding(servertest.OneFace{}), func(c *Config) {
		c.Access, c.Log = gate, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	answers := &answers{}
	p := dial(t, s, whipclient.Options{Codec: pipeline.VP8, Token: token, Client: &http.Client{Transport: answers}})
	p.Stream(testkit.TestSource(t, pipeline.VP8, 160, 120, 30))
	p.Label("labels", servertest.Any)
	id := path.Base(p.Session())
	if err := p.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, authorization := range []string{"Bearer " + wrong, "Basic " + wrong, wrong, ""} {
		for _, c := range []call{
			{"POST", "/whip", nil, servertest.Lines(servertest.Offer)}, {"PATCH", "/sessions/" + id, nil,
				""}, {"DELETE", "/sessions/" + id, nil, ""},
			{"GET", "/sessions/" + id + "/labels", nil, ""}, {"POST", "/whip?token=" + wrong, nil, ""}, {"GET",
				"/none?key=" + wrong, nil, ""},
		} {
			c.header = map[string]string{"Authorization": authorization, "Content-Type": "application/sdp"}
			if authorization == "" {
				delete(c.header, "Authorization")
			}
			s.call(t, c)
		}
	}
	pwds := answers.passwords()
	if len(pwds) != 2 {
		t.Fatalf("%d passwords of ICE were answered, want one of the session and one of its restart", len(pwds))
	}
	i := s.intrude(t)
	i.send(check(t, "unknown", pwds[0]))
	s.raw(t, "GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+wrong+"\r\nContent-Length: -1\r\n\r\n")
	_ = p.SendControl(`{"v":1,"type":"` + token + `","id":1}`)
	if err := p.Abort(); err != nil {
		t.Error(err)
	}
	servertest.WaitFor(t, "the session to end", func() bool { return s.Stats().Sessions == 0 })

	text := log.String()
	if !strings.Contains(text, id[:8]) || !strings.Contains(text, "session ended") {
		t.Fatalf("the log is not of this session: %s", text)
	}
	secrets := append([]string{token, wrong, id, id[:16]}, pwds...)
	for _, secret := range secrets {
		if secret == "" {
			t.Fatal("a secret was not found out")
		}
		for _, line := range strings.Split(text, "\n") {
			if strings.Contains(line, secret) {
				t.Errorf("logged: %s", line)
			}
		}
	}
}
