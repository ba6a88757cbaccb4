package operate

import (
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"mindflow/pipeline/testkit"
)

func TestRedirect(t *testing.T) {
	cases := []struct {
		name, host, target string
		port               int
		want               string // Location; "" is 400
	}{
		{"the default port is not named", "example.org", "/", 443, "https://example.org/"},
		{"path and query are kept", "example.org:80", "/a/b?model=x", 443, "https://example.org/a/b?model=x"},
		{"another port", "example.org:8080", "/", 8443, "https://example.org:8443/"},
		{"IPv6", "[2001:db8::1]:80", "/", 443, "https://[2001:db8::1]/"},
		{"IPv6 without port", "[2001:db8::1]", "/", 8443, "https://[2001:db8::1]:8443/"},
		{"a path that looks like a host", "example.org", "//evil.example/", 443, "https://example.org//evil.example/"},
		{"no host", "", "/", 443, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest("POST", "http://placeholder"+c.target, nil)
			r.Host = c.host
			w := httptest.NewRecorder()
			redirectTo(c.port).ServeHTTP(w, r)
			if got := w.Header().Get("Location"); got != c.want {
				t.Errorf("to %q, want %q", got, c.want)
			}
			want := http.StatusPermanentRedirect
			if c.want == "" {
				want = http.StatusBadRequest
			}
			if w.Code != want {
				t.Errorf("status %d, want %d", w.Code, want)
			}
		})
	}
}

func TestListenRedirect(t *testing.T) {
	defer testkit.NoLeaks(t, goleak.IgnoreCurrent())
	wrap := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/.well-known/") {
				w.WriteHeader(http.StatusNoContent)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	r, err := ListenRedirect("127.0.0.1:0", 443, wrap, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	for path, want := range map[string]int{"/": 308, "/.well-known/acme-challenge/x": 204} {
		response, err := client.Get("http://" + r.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s: %s, want %d", path, response.Status, want)
		}
	}
	_, err = ListenRedirect(r.Addr().String(), 443, nil, slog.New(slog.DiscardHandler))
	if err == nil || !strings.HasPrefix(err.Error(), "Redirect: ") {
		t.Errorf("a taken port: %v, want the field's name in it", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if c, err := net.Dial("tcp", r.Addr().String()); err == nil {
		c.Close()
		t.Error("the port is open after Close")
	}
}
