package server

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"mindflow/server/access"
)

// FuzzAuthorization sends any Authorization header and any query to a server with keys: no session comes of them.
func FuzzAuthorization(f *testing.F) {
	gate, sign := keyed(f)
	s := newDirectClient(f)
	s.server.cfg.Access = gate
	cut := strings.TrimSuffix(sign(access.Claims{Subject: "ada"}), "A")
	for _, seed := range []string{"Bearer x", "", "Basic YTpi", "Bearer " + cut, "Bearer a.b.c", "bearer  "} {
		f.Add(seed, "")
		f.Add("", seed)
	}
	f.Fuzz(func(t *testing.T, header, query string) {
		if _, err := gate.Check([]string{header}, time.Now()); err == nil {
			t.Skip("it is the token")
		}
		req := httptest.NewRequest("POST", "/whip", nil)
		req.URL.RawQuery = query
		req.Body = untouched{t}
		req.Header.Set("Content-Type", offerType)
		req.Header["Authorization"] = []string{header}
		w := httptest.NewRecorder()
		s.routes.ServeHTTP(w, req)
		if w.Code != http.StatusUnauthorized && w.Code != http.StatusBadRequest {
			t.Errorf("%q, %q: status %d: %s", header, query, w.Code, w.Body)
		}
	})
}
