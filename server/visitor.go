package server

import (
	"errors"
	"net/http"
	"net/netip"
	"time"

	"mindflow/server/access"
	"mindflow/server/ports"
)

// ticketHeader is the header of the ticket of a visitor that is queued or has a place: web/PROTOCOL.md, section 1.1.
const ticketHeader = "Mindflow-Ticket"

// visitor is the sender of a request.
type visitor struct {
	grant   access.Grant
	network netip.Prefix // of its address, for limits
	ticket  string       // that it sent: any text
}

// owns reports whether the visitor may see and control a session. On a server without tokens everybody who knows its id
// may.
func (v visitor) owns(sess *hosted) bool { return sess.owner == v.grant.Subject }

// requireAuth has h answer visitors that may use the server. For others no body is read and no session looked up.
func (s *Server) requireAuth(h func(http.ResponseWriter, *http.Request, visitor) error) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		v, err := s.authenticate(r, time.Now())
		if err != nil && r.Method == http.MethodPost {
			s.refused(r, err)
		}
		if err != nil {
			return err
		}
		return h(w, r, v)
	}
}

// tokenParameters are names under which tokens are sent in addresses, where logs and histories keep them.
var tokenParameters = []string{
	"token", "access_token", "bearer", "bearer_token", "jwt", "authorization", "auth", "key", "api_key", "apikey",
}

// authenticate returns the sender of r, if it may use the server.
func (s *Server) authenticate(r *http.Request, now time.Time) (visitor, error) {
	query := r.URL.Query()
	for _, name := range tokenParameters {
		if query.Has(name) {
			return visitor{}, newProblem(http.StatusBadRequest,
				"a token does not belong in an address, which logs and histories keep: "+
					"send it as Authorization: Bearer, and replace this one, since others may have seen it").
				because(refusedToken)
		}
	}
	grant, err := s.cfg.Access.Check(r.Header.Values("Authorization"), now)
	if err != nil {
		return visitor{}, unauthorized(err)
	}
	if origin := r.Header.Get("Origin"); !grant.AllowsOrigin(origin) && !mayLackOrigin(r) {
		return visitor{}, newProblem(http.StatusForbidden,
			"the token is for pages of other origins: its claim origins names them").because(refusedOrigin)
	}
	v := s.unauthenticated(r)
	v.grant = grant
	return v, nil
}

// unauthenticated returns what is known about the sender of r before its token is checked.
func (s *Server) unauthenticated(r *http.Request) visitor {
	if s.cfg.Proxies.IgnoresForwarded(r) {
		s.warnProxy.Do(func() {
			s.log.Warn("X-Forwarded-For is ignored; if it comes from your own proxy, configure the proxy's address "+
				"as trusted: until then all its clients count as one", "peer", r.RemoteAddr)
		})
	}
	return visitor{network: ports.ClientNetwork(s.cfg.Proxies.ClientAddr(r)), ticket: r.Header.Get(ticketHeader)}
}

// mayLackOrigin reports whether a browser would send r without an Origin for a page of the server's own: it sends one
// with every request that changes something (Fetch standard, section 3.2.5).
func mayLackOrigin(r *http.Request) bool {
	return r.Header.Get("Origin") == "" && (r.Method == http.MethodGet || r.Method == http.MethodHead)
}

// unauthorized returns the answer to an invalid or missing token: RFC 6750, section 3.
func unauthorized(err error) *problem {
	challenge := `Bearer realm="mindflow"`
	var denied *access.DeniedError
	if errors.As(err, &denied) && denied.Reason != access.Missing {
		challenge += `, error="invalid_token"`
	}
	return newProblem(http.StatusUnauthorized, err.Error()).with("WWW-Authenticate", challenge).because(refusedToken)
}
