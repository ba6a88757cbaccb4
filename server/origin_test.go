package server

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"mindflow/server/ports"
	"mindflow/server/servertest"
)

// TestOrigins posts offers as browsers do behind proxies that pass on less than all of Host, and as pages of other
// sites do. Requests that act are for the server's own pages and those of allowed origins.
func TestOrigins(t *testing.T) {
	trusted, err := ports.ParseProxies([]string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	const site, stranger = "https://site.example:8443", "https://stranger.example"
	type header = map[string]string
	rows := []struct {
		name    string
		proxies ports.Proxies
		header  header
		status  int
	}{
		{"the whole Host", nil, header{"Host": "site.example:8443", "Origin": site}, 201},
		{"Host without its port", nil, header{"Host": "site.example", "Origin": site}, 403},
		{"Host without its port, a newer browser", nil,
			header{"Host": "site.example", "Origin": site, "Sec-Fetch-Site": "same-origin"}, 201},
		{"another port of the host", nil,
			header{"Host": "site.example", "Origin": site, "Sec-Fetch-Site": "same-site"}, 403},
		{"another site", nil,
			header{"Host": "site.example", "Origin": stranger, "Sec-Fetch-Site": "cross-site"}, 403},
		{"a frame without an origin", nil,
			header{"Host": "site.example", "Origin": "null", "Sec-Fetch-Site": "same-origin"}, 403},
		{"no browser's word", nil,
			header{"Host": "site.example", "Origin": stranger, "Sec-Fetch-Site": "none"}, 403},
		{"a trusted proxy", trusted,
			header{"Host": "inside", "Origin": site, "X-Forwarded-Host": "site.example:8443"}, 201},
		{"a trusted proxy, with the scheme", trusted, header{"Host": "inside", "Origin": "https://site.example",
			"X-Forwarded-Host": "Site.example:443", "X-Forwarded-Proto": "https"}, 201},
		{"a trusted proxy, with another scheme", trusted, header{"Host": "inside", "Origin": "http://site.example",
			"X-Forwarded-Host": "site.example", "X-Forwarded-Proto": "https"}, 403},
		{"a trusted proxy, by the standard", trusted,
			header{"Host": "inside", "Origin": site, "Forwarded": `for=192.0.2.1;host="site.example:8443"`}, 201},
		{"a trusted proxy, another site", trusted,
			header{"Host": "inside", "Origin": stranger, "X-Forwarded-Host": "site.example:8443"}, 403},
		{"a forged entry before the proxy's", trusted,
			header{"Host": "inside", "Origin": stranger, "X-Forwarded-Host": "stranger.example, site.example"}, 403},
		{"a forged header", nil,
			header{"Host": "site.example", "Origin": stranger, "X-Forwarded-Host": "stranger.example"}, 403},
		{"a forged header of the standard", nil,
			header{"Host": "site.example", "Origin": stranger, "Forwarded": "host=stranger.example"}, 403},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			s := begin(t, idle(), func(c *Config) { c.Proxies = row.proxies })
			for _, path := range []string{"/whip", "//whip"} { // the latter as some proxies write it
				c := offerCall(servertest.Lines(servertest.Offer))
				c.path = path
				maps.Copy(c.header, row.header)
				res, body := s.call(t, c)
				if res.StatusCode != row.status {
					t.Errorf("POST %s: status %d, want %d: %s", path, res.StatusCode, row.status, body)
				}
				if res.StatusCode == http.StatusCreated {
					s.call(t, call{"DELETE", sessionPath(t, res), row.header, ""})
				}
			}
			for _, c := range []call{
				{"OPTIONS", "/whip", header{"Access-Control-Request-Method": "POST"}, ""},
				{"GET", "/sessions/x/labels", header{}, ""}, {"DELETE", "/sessions/x", header{}, ""},
				{"PATCH", "/sessions/x", header{}, ""}, {"GET", "/waiting", header{}, ""},
				{"DELETE", "/waiting", header{}, ""}, {"GET", "/readyz", header{}, ""},
			} {
				maps.Copy(c.header, row.header)
				res, _ := s.call(t, c)
				if refused := res.StatusCode == http.StatusForbidden; refused != (row.status == http.StatusForbidden) {
					t.Errorf("%s %s: status %d", c.method, c.path, res.StatusCode)
				}
				if allowed := res.Header.Get("Access-Control-Allow-Origin") != ""; allowed && row.status != 201 {
					t.Errorf("%s %s: the page may read the answer", c.method, c.path)
				}
			}
		})
	}
}

// TestFilesAreForEveryOrigin loads the page's files as a browser does behind a proxy that drops the port of Host:
// modules are requested with an Origin. A page of another site gets the file, and no right to read it. The frame /embed
// may read it even if the page around it has taken away its origin.
func TestFilesAreForEveryOrigin(t *testing.T) {
	const friend = "https://friend.example"
	s := begin(t, idle(), func(c *Config) {
		c.Site, c.AllowOrigins = map[string][]byte{"index.html": []byte("page"), "a.js": []byte("1")}, []string{friend}
	})
	for origin, may := range map[string]string{"https://site.example:8443": "", "null": "null", friend: friend} {
		for _, path := range []string{"/", "/a.js"} {
			res, _ := s.call(t, call{"GET", path, map[string]string{"Origin": origin}, ""})
			if got := res.Header.Get("Access-Control-Allow-Origin"); res.StatusCode != http.StatusOK || got != may ||
				!strings.Contains(strings.Join(res.Header.Values("Vary"), ","), "Origin") {
				t.Errorf("%s of %s: status %d, Access-Control-Allow-Origin %q, Vary %q", path, origin, res.StatusCode,
					got, res.Header.Values("Vary"))
			}
		}
	}
}

// TestRefusalNamesHost tells the operator of a proxy what to set.
func TestRefusalNamesHost(t *testing.T) {
	s := begin(t, idle(), nil)
	for origin, want := range map[string]string{
		"https://site.example:8443": "$http_host", "https://stranger.example": "can allow the origin",
	} {
		_, body := s.call(t, with(with(offerCall(""), "Host", "site.example"), "Origin", origin))
		if !strings.Contains(body, want) {
			t.Errorf("%s: %s, want %s", origin, body, want)
		}
	}
}
