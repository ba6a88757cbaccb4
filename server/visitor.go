package server

import (
	"errors"
	"net/http"
	"net/netip"
	"time"

	"mindflow/server/access"
)

// visitor is who sends a request, as far as it has shown.
type visitor struct {
	grant   access.Grant
	network netip.Prefix // what counts as its address
	ticket  string       // that it shows; it may be anything
}

// owns says whether a session is the visitor's to see and control. Where everybody may in, it belongs to who knows its id.
func (v visitor) owns(sess *hosted) bool { return sess.owner == v.grant.Subject }

// known has h answer those who may use the server, and nothing be done for others: neither is a body read nor a session looked up.
func (s *Server) known(h func(http.ResponseWriter, *http.Request, visitor) error) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		v, err := s.admit(r, time.Now())
		if err != nil && r.Method == http.MethodPost {
			s.refused(err)
		}
		if err != nil {
			return err
		}
		return h(w, r, v)
	}
}

// inURL are the names by which tokens are given in addresses, where logs and histories keep them.
var inURL = []string{"token", "access_token", "bearer", "bearer_token", "jwt", "authorization", "auth", "key", "api_key", "apikey"}

// admit says who sends r, when whoever that is may use the server.
func (s *Server) admit(r *http.Request, now time.Time) (visitor, error) {
	query := r.URL.Query()
	for _, name := range inURL {
		if query.Has(name) {
			return visitor{}, newProblem(http.StatusBadRequest, "a token does not belong in an address, which logs and histories keep: "+
				"send it as Authorization: Bearer, and replace this one, since others may have seen it").because(refusedToken)
		}
	}
	grant, err := s.cfg.Access.Check(r.Header.Values("Authorization"), now)
	if err != nil {
		return visitor{}, unauthorized(err)
	}
	if origin := r.Header.Get("Origin"); !grant.AllowsOrigin(origin) && !withoutOrigin(r) {
		return visitor{}, newProblem(http.StatusForbidden, "the token is for pages of other origins: its claim origins names them").because(refusedOrigin)
	}
	v := s.from(r)
	v.grant = grant
	return v, nil
}

// withoutOrigin says whether a browser would send r without an Origin for a page of the server's own: it sends one with everything
// that changes something (Fetch standard, section 3.2.5).
func withoutOrigin(r *http.Request) bool {
	return r.Header.Get("Origin") == "" && (r.Method == http.MethodGet || r.Method == http.MethodHead)
}

// unauthorized is the answer to who may not in: RFC 6750, section 3.
func unauthorized(err error) *problem {
	challenge := `Bearer realm="mindflow"`
	var denied *access.DeniedError
	if errors.As(err, &denied) && denied.Reason != access.Missing {
		challenge += `, error="invalid_token"`
	}
	return newProblem(http.StatusUnauthorized, err.Error()).with("WWW-Authenticate", challenge).because(refusedToken)
}
