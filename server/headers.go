package server

import (
	"net/http"
	"slices"
	"strings"
)

// contentSecurityPolicy is of every answer. The page loads its own files and nothing else. Styles may be inline because the
// widget styles its shadow root; blob: and data: are camera pictures and icons. Who may show it in a frame comes behind.
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; " +
	"media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors "

// permissionsPolicy keeps to the one thing that the page asks a browser for.
const permissionsPolicy = "camera=(self), microphone=(), display-capture=(), geolocation=()"

// strictTransport is six months of HTTPS (RFC 6797). Browsers take no notice where the certificate is their user's exception, or
// the host is an address.
const strictTransport = "max-age=15552000"

// Words among Config.FrameAncestors.
const (
	ancestorSelf = "self"
	ancestorNone = "none"
	ancestorAny  = "*"
)

// frameAncestors is the policy's list of pages that may show this one in a frame. Where none is named, those of the
// server's own origin may and those that may embed the widget; but that everybody may embed it says nothing of frames, in which
// a click can be stolen.
func (c Config) frameAncestors() string {
	if len(c.FrameAncestors) == 0 {
		listed := slices.DeleteFunc(slices.Clone(c.AllowOrigins), func(o string) bool { return o == ancestorAny })
		return strings.Join(append([]string{"'self'"}, listed...), " ")
	}
	var list []string
	for _, a := range c.FrameAncestors {
		switch a {
		case ancestorSelf, ancestorNone:
			a = "'" + a + "'"
		}
		list = append(list, a)
	}
	return strings.Join(list, " ")
}

// signed names the server in every answer, and has browsers do no more with it than is meant. What is
// public of the site says so itself.
func (s *Server) signed(next http.Handler) http.Handler {
	name := strings.TrimSuffix("mindflow/"+s.cfg.Version, "/")
	policy := contentSecurityPolicy + s.cfg.frameAncestors()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Server", name)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", policy)
		h.Set("Permissions-Policy", permissionsPolicy)
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if r.TLS != nil {
			h.Set("Strict-Transport-Security", strictTransport)
		}
		next.ServeHTTP(w, r)
	})
}
