package server

import (
	"net/http"
	"testing"
	"testing/fstest"
)

func TestRoutes(t *testing.T) {
	site := fstest.MapFS{}
	for _, name := range []string{"index.html", "mindflow.js", "sub/a.css", "mindflow.test.js", "test/a.js",
		"site_test.go", "package.json", ".git/a.js", "testdata/golden.js"} {
		site[name] = &fstest.MapFile{Data: []byte("content of " + name)}
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
		{call{"PUT", "/whip", nil, ""}, 405, [2]string{"Allow", "GET, HEAD, POST, OPTIONS"}},
		{call{"GET", "/sessions/x", nil, ""}, 404, [2]string{}},
		{call{"GET", "/healthz", nil, ""}, 200, [2]string{}},
		{call{"POST", "/healthz", nil, ""}, 405, [2]string{"Allow", "GET, HEAD"}},
		{call{"GET", "/readyz", nil, ""}, 200, [2]string{}},
		{call{"GET", "/", nil, ""}, 200, [2]string{"Content-Type", "text/html; charset=utf-8"}},
		{call{"GET", "/index.html", nil, ""}, 200, [2]string{"Cache-Control", "no-cache"}},
		{call{"GET", "/", nil, ""}, 200, [2]string{"Content-Security-Policy", "default-src 'self'; style-src 'self' 'unsafe-inline'; " +
			"img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'"}},
		{call{"GET", "/", nil, ""}, 200, [2]string{"Permissions-Policy", "camera=(self)"}},
		{call{"GET", "/", nil, ""}, 200, [2]string{"Referrer-Policy", "no-referrer"}},
		{call{"HEAD", "/mindflow.js", nil, ""}, 200, [2]string{"Content-Type", "text/javascript; charset=utf-8"}},
		{call{"GET", "/mindflow.js", nil, ""}, 200, [2]string{"X-Content-Type-Options", "nosniff"}},
		{call{"GET", "/sub/a.css", nil, ""}, 200, [2]string{"Content-Type", "text/css; charset=utf-8"}},
		{call{"GET", "/sub/", nil, ""}, 404, [2]string{}},
		{call{"GET", "/mindflow.test.js", nil, ""}, 404, [2]string{}},
		{call{"GET", "/test/a.js", nil, ""}, 404, [2]string{}},
		{call{"GET", "/testdata/golden.js", nil, ""}, 404, [2]string{}},
		{call{"GET", "/site_test.go", nil, ""}, 404, [2]string{}},
		{call{"GET", "/package.json", nil, ""}, 404, [2]string{}},
		{call{"GET", "/.git/a.js", nil, ""}, 404, [2]string{}},
		{call{"GET", "/sub/..%2findex.html", nil, ""}, 404, [2]string{}},
		{call{"DELETE", "/", nil, ""}, 405, [2]string{"Allow", "GET, HEAD"}},
		{call{"GET", "/whip", map[string]string{"Origin": friend}, ""}, 204, [2]string{"Access-Control-Allow-Origin", friend}},
		{call{"GET", "/whip", map[string]string{"Origin": friend}, ""}, 204, [2]string{"Access-Control-Expose-Headers", "Location, ETag, Link, Retry-After"}},
		{call{"GET", "/whip", map[string]string{"Origin": s.url("")}, ""}, 204, [2]string{"Access-Control-Allow-Origin", s.url("")}},
		{call{"OPTIONS", "/whip", map[string]string{"Origin": friend, "Access-Control-Request-Method": "POST"}, ""}, 204,
			[2]string{"Access-Control-Allow-Methods", "GET, HEAD, POST, PATCH, DELETE, OPTIONS"}},
		{call{"OPTIONS", "/sessions/x", map[string]string{"Origin": friend, "Access-Control-Request-Method": "PATCH"}, ""}, 204,
			[2]string{"Access-Control-Allow-Headers", "Authorization, Content-Type, If-Match, Last-Event-ID"}},
		{call{"OPTIONS", "/whip", map[string]string{"Origin": stranger, "Access-Control-Request-Method": "POST"}, ""}, 403,
			[2]string{"Access-Control-Allow-Origin", ""}},
		{call{"POST", "/whip", map[string]string{"Origin": stranger, "Content-Type": "application/sdp"}, lines(offerText)}, 403, [2]string{}},
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
