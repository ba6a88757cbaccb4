package server

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"mindflow/pipeline"
	"mindflow/server/whipclient"
)

// A client with a token shows it with every request, in the header alone, to what stands before the server.
func TestClientToken(t *testing.T) {
	const token = "s3cret.token-_~+/="
	s := begin(t, idle(), nil)
	target, err := url.Parse(s.url("/"))
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	var mu sync.Mutex // guards methods
	var methods []string
	gate := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+token || strings.Contains(r.URL.String(), "s3cret") {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"detail":"a token is needed"}`))
			return
		}
		mu.Lock()
		methods = append(methods, r.Method)
		mu.Unlock()
		proxy.ServeHTTP(w, r)
	}))
	defer gate.Close()

	c, err := whipclient.Dial(t.Context(), gate.URL+"/whip", whipclient.Options{Codec: pipeline.VP8, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Restart(t.Context()); err != nil {
		t.Error(err)
	}
	if err := c.Close(t.Context()); err != nil {
		t.Error(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if want := []string{"POST", "PATCH", "DELETE"}; !slices.Equal(methods, want) {
		t.Errorf("requests with the token: %v, want %v", methods, want)
	}
	for _, wrong := range []string{"", "s3cret"} {
		_, err := whipclient.Dial(t.Context(), gate.URL+"/whip", whipclient.Options{Codec: pipeline.VP8, Token: wrong})
		var refused *whipclient.RefusedError
		if !errors.As(err, &refused) || refused.Status != http.StatusUnauthorized ||
			refused.Detail != "a token is needed" ||
			strings.Contains(err.Error(), "s3cret") {
			t.Errorf("token %q: %v", wrong, err)
		}
	}
}
