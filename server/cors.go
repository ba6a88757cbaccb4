package server

import (
	"net/http"
	"net/url"
	"slices"
)

// cors accepts requests of pages of the allowed origins and refuses others: a page must not use the visitor's own
// server without the operator's consent.
type cors struct {
	origins []string    // such as https://example.org, or * for all
	refused func(error) // called for each refused offer
}

func (c cors) allows(origin string, r *http.Request) bool {
	u, err := url.Parse(origin)
	if err == nil && u.Host != "" && u.Host == r.Host { // behind a proxy the scheme can differ
		return true
	}
	return slices.Contains(c.origins, origin) || slices.Contains(c.origins, "*")
}

func (c cors) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Origin")
		origin := r.Header.Get("Origin")
		if origin == "" { // not from a page, or for the page's own files
			next.ServeHTTP(w, r)
			return
		}
		if !c.allows(origin, r) {
			p := newProblem(http.StatusForbidden,
				"this server does not serve pages of "+origin+"; its operator can allow the origin").
				because(refusedOrigin)
			if r.Method == http.MethodPost {
				c.refused(p)
			}
			writeProblem(w, p)
			return
		}
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Expose-Headers", "Location, ETag, Link, Retry-After, "+ticketHeader)
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			h.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, PATCH, DELETE, OPTIONS")
			h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, If-Match, Last-Event-ID, "+ticketHeader)
			h.Set("Access-Control-Max-Age", "600")
		}
		next.ServeHTTP(w, r)
	})
}
