package server

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"testing"

	"mindflow/server/servertest"
)

func TestRoutes(t *testing.T) {
	site := map[string][]byte{}
	for _, name := range []string{"index.html", "mindflow.js", "sub/a.css", "selftest.html", "mindflow.test.js",
		"test/a.js",
		"site_test.go", "package.json", ".git/a.js", "testdata/golden.js"} {
		site[name] = []byte("content of " + name)
	}
	const friend, stranger = "https://friend.example", "https://stranger.example"
	s := begin(t, idle(), func(c *Config) {
		c.Site, c.Version, c.AllowOrigins = site, "1.2", []string{friend}
	})
	for _, row := range []struct {
		call
		status int
		header [2]string
	}{
		{call{"GET", "/whip", nil, ""}, 204, [2]string{"Server", "mindflow/1.2"}},
		{call{"HEAD", "/whip", nil, ""}, 204, [2]string{}},
		{call{"OPTIONS", "/whip", nil, ""}, 204, [2]string{"Accept-Post", "application/sdp"}},
		{call{"GET", "/whip/", nil, ""}, 204, [2]string{}},
		{call{"POST", "/whip/key", nil, ""}, 404, [2]string{"Content-Type", "application/problem+json"}},
		{call{"POST", "/whip/live/key", nil, ""}, 404, [2]string{}},
		{call{"PUT", "/whip", nil, ""}, 405, [2]string{"Allow", "GET, HEAD, POST, OPTIONS"}},
		{call{"GET", "/sessions/x", nil, ""}, 404, [2]string{}},
		{call{"GET", "/healthz", nil, ""}, 200, [2]string{}},
		{call{"POST", "/healthz", nil, ""}, 405, [2]string{"Allow", "GET, HEAD"}},
		{call{"GET", "/readyz", nil, ""}, 200, [2]string{}},
		{call{"GET", "/", nil, ""}, 200, [2]string{"Content-Type", "text/html; charset=utf-8"}},
		{call{"GET", "/index.html", nil, ""}, 200, [2]string{"Cache-Control", "no-cache"}},
		{call{"GET", "/", nil, ""}, 200, [2]string{"Cross-Origin-Resource-Policy", "cross-origin"}},
		{call{"GET", "/whip", nil, ""}, 204, [2]string{"Cross-Origin-Resource-Policy", "same-origin"}},
		{call{"GET", "/whip", nil, ""}, 204, [2]string{"Cache-Control", "no-store"}},
		{call{"HEAD", "/mindflow.js", nil, ""}, 200, [2]string{"Content-Type", "text/javascript; charset=utf-8"}},
		{call{"GET", "/mindflow.js", nil, ""}, 200, [2]string{"X-Content-Type-Options", "nosniff"}},
		{call{"GET", "/sub/a.css", nil, ""}, 200, [2]string{"Content-Type", "text/css; charset=utf-8"}},
		{call{"GET", "/selftest", nil, ""}, 200, [2]string{"Content-Type", "text/html; charset=utf-8"}},
		{call{"GET", "/sub/", nil, ""}, 404, [2]string{}},
		{call{"GET", "/nothing", nil, ""}, 404, [2]string{}},
		{call{"GET", "/mindflow.test.js", nil, ""}, 404, [2]string{}},
		{call{"GET", "/test/a.js", nil, ""}, 404, [2]string{}},
		{call{"GET", "/testdata/golden.js", nil, ""}, 404, [2]string{}},
		{call{"GET", "/site_test.go", nil, ""}, 404, [2]string{}},
		{call{"GET", "/package.json", nil, ""}, 404, [2]string{}},
		{call{"GET", "/.git/a.js", nil, ""}, 404, [2]string{}},
		{call{"GET", "/sub/..%2findex.html", nil, ""}, 404, [2]string{}},
		{call{"DELETE", "/", nil, ""}, 405, [2]string{"Allow", "GET, HEAD"}},
		{call{"GET", "/whip", map[string]string{"Origin": friend}, ""}, 204,
			[2]string{"Access-Control-Allow-Origin", friend}},
		{call{"GET", "/whip", map[string]string{"Origin": friend}, ""}, 204,
			[2]string{"Access-Control-Expose-Headers", "Location, ETag, Link, Retry-After, Mindflow-Ticket"}},
		{call{"GET", "/whip", map[string]string{"Origin": s.url("")}, ""}, 204,
			[2]string{"Access-Control-Allow-Origin", s.url("")}},
		{call{"OPTIONS", "/whip", map[string]string{"Origin": friend, "Access-Control-Request-Method": "POST"}, ""},
			204,
			[2]string{"Access-Control-Allow-Methods", "GET, HEAD, POST, PATCH, DELETE, OPTIONS"}},
		{call{"OPTIONS", "/sessions/x", map[string]string{"Origin": friend, "Access-Control-Request-Method": "PATCH"},
			""}, 204,
			[2]string{"Access-Control-Allow-Headers",
				"Authorization, Content-Type, If-Match, Last-Event-ID, Mindflow-Ticket"}},
		{call{"OPTIONS", "/whip", map[string]string{"Origin": stranger, "Access-Control-Request-Method": "POST"}, ""},
			403,
			[2]string{"Access-Control-Allow-Origin", ""}},
		{call{"POST", "/whip", map[string]string{"Origin": stranger, "Content-Type": "application/sdp"},
			servertest.Lines(servertest.Offer)}, 403, [2]string{}},
		{call{"GET", "/whip", map[string]string{"Origin": "null"}, ""}, 403, [2]string{}},
	} {
		res, body := s.call(t, row.call)
		if res.StatusCode != row.status {
			t.Errorf("%s %s: status %d, want %d: %s", row.method, row.path, res.StatusCode, row.status, body)
		}
		if key := row.header[0]; key != "" && res.Header.Get(key) != row.header[1] {
			t.Errorf("%s %s: %s is %q, want %q", row.method, row.path, key, res.Header.Get(key), row.header[1])
		}
	}
	res, _ := s.call(t, call{"GET", "/mindflow.js", nil, ""})
	res, _ = s.call(t, call{"GET", "/mindflow.js", map[string]string{"If-None-Match": res.Header.Get("ETag")}, ""})
	if res.StatusCode != http.StatusNotModified {
		t.Errorf("a file the browser has: status %d", res.StatusCode)
	}
}

func TestFilesComeCompressed(t *testing.T) {
	long := bytes.Repeat([]byte("const a = 1;\n"), 100)
	s := begin(t, idle(), func(c *Config) {
		c.Site = map[string][]byte{"a.js": long, "tiny.js": []byte("1")}
	})
	get := func(name, accept, tag string) *http.Response {
		t.Helper()
		r, err := http.NewRequest(http.MethodGet, s.url("/"+name), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept-Encoding", accept)
		if tag != "" {
			r.Header.Set("If-None-Match", tag)
		}
		response, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = response.Body.Close() })
		return response
	}
	short := get("a.js", "br, gzip", "")
	if short.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("the answer's headers: %v", short.Header)
	}
	unpacked, err := gzip.NewReader(short.Body)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(unpacked); err != nil || !bytes.Equal(text, long) {
		t.Errorf("%d bytes, %v, want %d", len(text), err, len(long))
	}
	if again := get("a.js", "gzip", short.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
		t.Errorf("asked again: %s", again.Status)
	}
	if plain := get("a.js", "identity", short.Header.Get("ETag")); plain.StatusCode != http.StatusOK ||
		plain.Header.Get("Content-Encoding") != "" {
		t.Errorf("without gzip: %s %v", plain.Status, plain.Header)
	}
	if tiny := get("tiny.js", "gzip", ""); tiny.Header.Get("Content-Encoding") != "" {
		t.Errorf("a file that gains nothing: %v", tiny.Header)
	}
}
