package server

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"mindflow/server/ports"
)

// cors accepts requests of pages of the server's own origin and of the allowed origins, and refuses others: a page must
// not use the visitor's own server without the operator's consent.
type cors struct {
	origins []string // such as https://example.org, or * for all
	proxies ports.Proxies
	refused func(*http.Request, error) // called for each refused offer
}

func (c cors) allows(origin string, r *http.Request) bool {
	return slices.Contains(c.origins, origin) || slices.Contains(c.origins, "*") || c.own(origin, r)
}

// own reports whether origin is the one that r was sent to, as its sender sees it. Behind a proxy the scheme, and with
// some settings the port, are not those of r.
func (c cors) own(origin string, r *http.Request) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return false
	}
	// Pages cannot set Sec-Fetch-Site: its name is forbidden to them (Fetch standard, section 2.2.2).
	if u.Host == r.Host || r.Header.Get("Sec-Fetch-Site") == "same-origin" {
		return true
	}
	scheme, host := c.proxies.Forwarded(r)
	return host != "" && (scheme == "" || scheme == u.Scheme) &&
		withoutDefaultPort(u.Scheme, host) == withoutDefaultPort(u.Scheme, u.Host)
}

// withoutDefaultPort returns host in the form in which an Origin header has it.
func withoutDefaultPort(scheme, host string) string {
	host = strings.ToLower(host)
	switch scheme {
	case "https":
		return strings.TrimSuffix(host, ":443")
	case "http":
		return strings.TrimSuffix(host, ":80")
	}
	return host
}

// permit lets pages of the allowed origins read the answer. Files are for everybody, and no origin is refused.
func (c cors) permit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Add("Vary", "Origin")
		if origin := r.Header.Get("Origin"); origin != "" && c.allows(origin, r) {
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Expose-Headers", "Location, ETag, Link, Retry-After, "+ticketHeader)
		}
		next.ServeHTTP(w, r)
	})
}

// require refuses requests of pages of other origins.
func (c cors) require(next http.Handler) http.Handler {
	return c.permit(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		if origin == "" { // not from a page, or a page's own GET
			next.ServeHTTP(w, r)
			return
		}
		h := w.Header()
		if h.Get("Access-Control-Allow-Origin") == "" {
			p := newProblem(http.StatusForbidden, refusal(origin, r)).because(refusedOrigin)
			if r.Method == http.MethodPost {
				c.refused(r, p)
			}
			writeProblem(w, p)
			return
		}
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			h.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, PATCH, DELETE, OPTIONS")
			h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, If-Match, Last-Event-ID, "+ticketHeader)
			h.Set("Access-Control-Max-Age", "600")
		}
		next.ServeHTTP(w, r)
	}))
}

// refusal tells the operator what to set.
func refusal(origin string, r *http.Request) string {
	if u, err := url.Parse(origin); err == nil && u.Hostname() != "" && u.Hostname() == hostOf(r.Host) {
		return "this server does not serve pages of " + origin + ", since the request names the host " + r.Host +
			"; a proxy before this server must pass the header Host on with its port, as with nginx's $http_host"
	}
	return "this server does not serve pages of " + origin + "; its operator can allow the origin"
}
