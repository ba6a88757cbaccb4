package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"mindflow/pipeline"
	"mindflow/server/access"
	"mindflow/server/servertest"
	"mindflow/server/whipclient"
)

const (
	sharedToken = "first-of-the-shared-tokens"
	otherToken  = "second-of-the-shared-tokens"
)

// keyed is an Authenticator with two shared tokens and a key, and makes tokens that the key has signed.
func keyed(t testing.TB) (*access.Authenticator, func(access.Claims) string) {
	t.Helper()
	key, err := access.NewKey(access.EdDSA, "k")
	if err != nil {
		t.Fatal(err)
	}
	gate, err := access.New([]string{sharedToken, otherToken},
		access.Signed{Keys: []access.Key{key}, Audience: "mindflow", MaxLife: 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return gate, func(c access.Claims) string {
		t.Helper()
		if c.Audience == "" {
			c.Audience = "mindflow"
		}
		made := time.Now()
		if c.Expires.IsZero() {
			c.Expires = made.Add(time.Hour)
		} else {
			made = c.Expires.Add(-time.Hour)
		}
		text, err := access.Mint(key, c, made)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
}

// safeLog is what a server logs, everything.
type safeLog struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (l *safeLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *safeLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *safeLog) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func with(c call, header, value string) call {
	h := map[string]string{}
	for k, v := range c.header {
		h[k] = v
	}
	if value != "" {
		h[header] = value
	}
	c.header = h
	return c
}

// Whatever is asked of the WHIP resources needs the token, and what is asked with the wrong one changes nothing.
func TestTokenNeeded(t *testing.T) {
	gate, sign := keyed(t)
	var log safeLog
	s := begin(t, idle(), func(c *Config) { c.Access, c.Log, c.AllowOrigins = gate, log.logger(), []string{"*"} })
	res, body := s.call(t, with(offerCall(servertest.Lines(servertest.Offer)), "Authorization", "Bearer "+sharedToken))
	if res.StatusCode != http.StatusCreated {
		t.Fatalf("status %d: %s", res.StatusCode, body)
	}
	at := sessionPath(t, res)
	const fragment = "a=ice-ufrag:EsAw\r\na=ice-pwd:bP+XJMM09aR8AiX1jdukzR6Y\r\na=mid:1\r\n"
	trickle := call{
		"PATCH",
		at,
		map[string]string{"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*"},
		fragment,
	}
	requests := []call{
		offerCall(servertest.Lines(servertest.Offer)),
		trickle,
		{"GET", at, nil, ""},
		{"HEAD", at, nil, ""},
		{"GET", at + "/labels", nil, ""},
		{"DELETE", at, nil, ""},
	}
	expired := sign(access.Claims{Subject: "ada", Expires: time.Now().Add(-time.Minute)})
	for _, row := range []struct {
		name, token, origin string
		challenge           string
		status, found       int // of the offer, and of what is asked of somebody else's session
	}{
		{"none", "", "", `Bearer realm="mindflow"`, 401, 401},
		{"unknown", "Bearer third-of-the-shared-tokens", "", `Bearer realm="mindflow", error="invalid_token"`, 401,
			401},
		{"another scheme", "Basic " + sharedToken, "", `Bearer realm="mindflow", error="invalid_token"`, 401, 401},
		{"expired", "Bearer " + expired, "", `Bearer realm="mindflow", error="invalid_token"`, 401, 401},
		{"for another audience", "Bearer " + sign(access.Claims{Audience: "other"}), "",
			`Bearer realm="mindflow", error="invalid_token"`, 401, 401},
		{"for pages of another origin", "Bearer " + sign(access.Claims{Origins: []string{"https://a.example"}}),
			"https://b.example", "", 403, 403},
		{"somebody else's", "Bearer " + otherToken, "", "", 201, 404},
		{"somebody else's, signed", "Bearer " + sign(access.Claims{Subject: "ada"}), "", "", 201, 404},
	} {
		for _, c := range requests {
			want := row.found
			if c.method == "POST" {
				want = row.status
			}
			res, body := s.call(t, with(with(c, "Authorization", row.token), "Origin", row.origin))
			if res.StatusCode != want || res.Header.Get("WWW-Authenticate") != row.challenge {
				t.Errorf(
					"%s: %s %s: status %d, challenge %q, want %d, %q: %s",
					row.name,
					c.method,
					c.path,
					res.StatusCode,
					res.Header.Get("WWW-Authenticate"),
					want,
					row.challenge,
					body,
				)
			}
			if c.method == "POST" && want == 201 { // it is theirs to end
				s.call(t, with(call{"DELETE", sessionPath(t, res), nil, ""}, "Authorization", row.token))
			}
		}
		if n := s.Stats().Sessions; n != 1 {
			t.Fatalf("%s: %d sessions", row.name, n)
		}
	}
	// browsers ask the first without a token
	for _, c := range []call{{"OPTIONS", at, nil, ""}, {"GET", "/healthz", nil, ""}} {
		if res, _ := s.call(t, c); res.StatusCode >= 400 {
			t.Errorf("%s %s: status %d", c.method, c.path, res.StatusCode)
		}
	}
	for _, c := range requests[1:4] {
		if res, body := s.call(t, with(c, "Authorization",
			"Bearer "+sharedToken)); res.StatusCode != http.StatusNoContent {
			t.Errorf("%s by its owner: status %d: %s", c.method, res.StatusCode, body)
		}
	}
	if res, _ := s.call(t, with(call{"DELETE", at, nil, ""}, "Authorization",
		"bearer "+sharedToken)); res.StatusCode != http.StatusOK {
		t.Errorf("DELETE by its owner: status %d", res.StatusCode)
	}
	for _, secret := range []string{sharedToken, otherToken, expired, strings.Split(expired, ".")[2], "third-of"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds the token %s", secret)
		}
	}
}

// A token that is renewed for the same subject controls the session that the one before it made.
func TestTokenRenewed(t *testing.T) {
	gate, sign := keyed(t)
	s := begin(t, idle(), func(c *Config) { c.Access = gate })
	res, _ := s.call(
		t,
		with(
			offerCall(servertest.Lines(servertest.Offer)),
			"Authorization",
			"Bearer "+sign(access.Claims{Subject: "ada"}),
		),
	)
	renewed := "Bearer " + sign(access.Claims{Subject: "ada", Expires: time.Now().Add(2 * time.Hour)})
	if res, body := s.call(t, with(call{"DELETE", sessionPath(t, res), nil, ""}, "Authorization",
		renewed)); res.StatusCode != http.StatusOK {
		t.Errorf("status %d: %s", res.StatusCode, body)
	}
}

// A token in an address is refused, right or wrong, and not said again.
func TestTokenInURL(t *testing.T) {
	gate, _ := keyed(t)
	for _, g := range []*access.Authenticator{gate, access.Open()} {
		var log safeLog
		s := begin(t, idle(), func(c *Config) { c.Access, c.Log = g, log.logger() })
		for _, query := range []string{"token=" + sharedToken, "access_token=" + sharedToken, "model=none&jwt=" +
			sharedToken} {
			for _, c := range []call{offerCall(servertest.Lines(servertest.Offer)), {"DELETE", "/sessions/0", nil, ""},
				{"GET", "/sessions/0/labels", nil, ""}} {
				c.path += "?" + query
				res, body := s.call(t, with(c, "Authorization", "Bearer "+sharedToken))
				if res.StatusCode != http.StatusBadRequest || !strings.Contains(body, "Authorization: Bearer") ||
					strings.Contains(body+log.String(), sharedToken) {
					t.Errorf("%s %s: status %d: %s", c.method, c.path, res.StatusCode, body)
				}
			}
		}
	}
}

// A token that names origins is for pages of those, of the ones that the server allows.
func TestTokenOrigins(t *testing.T) {
	gate, sign := keyed(t)
	s := begin(
		t,
		idle(),
		func(c *Config) { c.Access, c.AllowOrigins = gate, []string{"https://a.example", "https://b.example"} },
	)
	narrow := "Bearer " + sign(
		access.Claims{Subject: "ada", Origins: []string{"https://a.example", "https://c.example", s.url("")}},
	)
	res, _ := s.call(
		t,
		with(with(offerCall(servertest.Lines(servertest.Offer)), "Authorization", narrow), "Origin", s.url("")),
	)
	at := sessionPath(t, res)
	for _, row := range []struct {
		method, origin string
		status         int
	}{
		{"GET", "", 204}, // a page of the server's own
		{"GET", "https://a.example", 204},
		{"GET", "https://b.example", 403}, // not by the token
		{"GET", "https://c.example", 403}, // not by the server
		{"GET", "null", 403},
		{"DELETE", "https://b.example", 403},
		{"DELETE", "", 403}, // no page at all
		{"DELETE", "https://a.example", 200},
	} {
		if res, body := s.call(t, with(with(call{row.method, at, nil, ""}, "Authorization", narrow), "Origin",
			row.origin)); res.StatusCode != row.status {
			t.Errorf("%s from %q: status %d, want %d: %s", row.method, row.origin, res.StatusCode, row.status, body)
		}
	}
}

// untouched is a body that nobody may read.
type untouched struct{ t *testing.T }

func (u untouched) Read([]byte) (int, error) {
	u.t.Error("the body of a stranger was read")
	return 0, io.EOF
}

func (u untouched) Close() error { return nil }

// Nothing is allocated for who is not let in: no body is read, no offer parsed, no session made.
func TestStrangersCostNothing(t *testing.T) {
	gate, _ := keyed(t)
	s := begin(t, idle(), func(c *Config) { c.Access = gate })
	routes := s.routes()
	for range 1000 {
		req := httptest.NewRequest("POST", "/whip", nil)
		req.Body = untouched{t}
		req.Header.Set("Content-Type", offerType)
		req.Header.Set("Authorization", "Bearer "+strings.Repeat("x", 4000))
		w := httptest.NewRecorder()
		routes.ServeHTTP(w, req)
		var p problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != http.StatusUnauthorized ||
			p.Status != w.Code {
			t.Fatalf("status %d: %s", w.Code, w.Body)
		}
	}
	if n := s.Stats().Sessions; n != 0 {
		t.Errorf("%d sessions", n)
	}
}

// The client shows its token with everything that it asks for.
func TestClientWithToken(t *testing.T) {
	gate, sign := keyed(t)
	s := begin(t, idle(), func(c *Config) { c.Access = gate })
	for _, token := range []string{sharedToken, sign(access.Claims{Subject: "ada"})} {
		p := dial(t, s, whipclient.Options{Codec: pipeline.VP8, Token: token})
		if err := p.Restart(t.Context()); err != nil {
			t.Error(err)
		}
		if err := p.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	_, err := whipclient.Dial(
		t.Context(),
		s.url("/whip"),
		whipclient.Options{Codec: pipeline.VP8, Token: "wrong-token"},
	)
	var refused *whipclient.RefusedError
	if !errors.As(err, &refused) || refused.Status != http.StatusUnauthorized ||
		strings.Contains(err.Error(), "wrong-token") {
		t.Errorf("%v", err)
	}
}
