package server

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"mindflow/server/servertest"
)

// TestAddressesUnderAPrefix publishes through a proxy that removes a path prefix, and follows what the answer names.
func TestAddressesUnderAPrefix(t *testing.T) {
	s := begin(t, idle(), nil)
	target, err := url.Parse(s.url(""))
	if err != nil {
		t.Fatal(err)
	}
	outside := httptest.NewServer(http.NotFoundHandler())
	defer outside.Close()
	for _, stripped := range []string{"/a/faces", "/a/faces/"} { // the latter leaves two slashes
		proxy := httputil.NewSingleHostReverseProxy(target)
		outside.Config.Handler = http.StripPrefix("/a/faces", http.HandlerFunc(
			func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(stripped, "/") {
					r.URL.Path = "/" + r.URL.Path
				}
				proxy.ServeHTTP(w, r)
			}))
		for _, address := range []string{"/a/faces/whip", "/a/faces/whip/", "/a/faces/whip?a=/b/"} {
			res, err := http.Post(outside.URL+address, offerType, strings.NewReader(servertest.Lines(servertest.Offer)))
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			location, err := res.Location()
			if err != nil || res.StatusCode != http.StatusCreated ||
				!regexp.MustCompile(`^/a/faces/sessions/[0-9a-f]{32}$`).MatchString(location.Path) {
				t.Fatalf("POST %s: %s, Location %s, %v", address, res.Status, location, err)
			}
			target, _, _ := strings.Cut(strings.TrimPrefix(res.Header.Get("Link"), "<"), ">")
			labels, err := res.Request.URL.Parse(target)
			if err != nil || labels.Path != location.Path+"/labels" {
				t.Errorf("POST %s: labels at %s, %v", address, labels, err)
			}
			end, err := http.NewRequest(http.MethodDelete, location.String(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if res, err = http.DefaultClient.Do(end); err != nil || res.StatusCode != http.StatusOK {
				t.Fatalf("DELETE %s: %v, %v", location, res, err)
			}
			_ = res.Body.Close()
		}
	}
}
