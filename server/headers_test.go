package server

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"mindflow/server/servertest"
)

// TestHeadersOfEveryAnswer asks for what there is and what there is not.
func TestHeadersOfEveryAnswer(t *testing.T) {
	s := begin(t, idle(), func(c *Config) {
		c.Site = map[string][]byte{"index.html": []byte("page"), "mindflow.js": []byte("widget")}
	})
	want := map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
			"img-src 'self' data: blob:; " +
			"media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
		"Permissions-Policy":         "camera=(self), microphone=(), display-capture=(), geolocation=()",
		"Referrer-Policy":            "no-referrer",
		"X-Content-Type-Options":     "nosniff",
		"Cross-Origin-Opener-Policy": "same-origin",
		"Strict-Transport-Security":  "",
	}
	for _, c := range []call{
		{"GET", "/", nil, ""}, {"GET", "/mindflow.js", nil, ""}, {"GET", "/none", nil, ""}, {"GET", "/whip", nil, ""},
		{"PUT", "/whip", nil, ""}, {"GET", "/sessions/x", nil, ""}, {"GET", "/sessions/x/labels", nil, ""}, {"GET",
			"/healthz", nil, ""},
		{"POST", "/whip", map[string]string{"Content-Type": "application/sdp"},
			"v=0"}, offerCall(servertest.Lines(servertest.Offer)),
		{"GET", "/", map[string]string{"Origin": "https://stranger.example"}, ""},
		{"OPTIONS", "/whip", map[string]string{"Origin": s.url(""), "Access-Control-Request-Method": "POST"}, ""},
	} {
		res, _ := s.call(t, c)
		for key, value := range want {
			if got := res.Header.Get(key); got != value {
				t.Errorf("%s %s: status %d, %s is %q, want %q", c.method, c.path, res.StatusCode, key, got, value)
			}
		}
	}

	overTLS := httptest.NewRequest("GET", "/healthz", nil)
	overTLS.TLS = &tls.ConnectionState{}
	answer := httptest.NewRecorder()
	s.routes().ServeHTTP(answer, overTLS)
	if got := answer.Header().Get("Strict-Transport-Security"); answer.Code != http.StatusOK ||
		got != "max-age=15552000" {
		t.Errorf("over TLS: status %d, Strict-Transport-Security %q", answer.Code, got)
	}
}

func TestFrameAncestors(t *testing.T) {
	for _, row := range []struct{ allowed, framing, want string }{
		{"", "", "'self'"},
		{"https://a.example https://b.example", "", "'self' https://a.example https://b.example"},
		{"*", "", "'self'"},
		{"* https://a.example", "", "'self' https://a.example"},
		{"https://a.example", "none", "'none'"},
		{"https://a.example", "self", "'self'"},
		{"", "*", "*"},
		{"", "self https://a.example", "'self' https://a.example"},
	} {
		c := Config{AllowOrigins: strings.Fields(row.allowed), FrameAncestors: strings.Fields(row.framing)}
		if got := c.frameAncestors(); got != row.want {
			t.Errorf("%+v: %q", row, got)
		}
	}
}
