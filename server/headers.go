package server

import (
	"net/http"
	"slices"
	"strings"
)

// contentSecurityPolicy is sent with every answer. The page loads its own files and nothing else. Styles may be inline
// because the widget styles its shadow root. blob: and data: are camera pictures and icons. The list of frame ancestors
// is appended.
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
	"img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; " +
	"frame-ancestors "

// permissionsPolicy allows the one thing that the page asks a browser for.
const permissionsPolicy = "camera=(self), microphone=(), display-capture=(), geolocation=()"

// strictTransport is six months of HTTPS (RFC 6797). Browsers ignore it when the user accepted an invalid certificate,
// or when the host is an address.
const strictTransport = "max-age=15552000"

// Words among Config.FrameAncestors.
const (
	ancestorSelf = "self"
	ancestorNone = "none"
	ancestorAny  = "*"
)

// frameAncestors returns the policy's list of pages that may show this one in a frame. By default these are pages of
// the server's own origin and of AllowOrigins. A * in AllowOrigins does not count: in a frame a click can be hijacked.
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

// securityHeaders adds to every answer the server's name and the headers that restrict what browsers do with it. Public
// files of the site replace them.
func (s *Server) securityHeaders(next http.Handler) http.Handler {
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
