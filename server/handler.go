package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

// handler answers a request, or returns why it cannot.
type handler func(w http.ResponseWriter, r *http.Request) error

// answering makes an http.Handler of h. Errors become statuses here and nowhere else. An error that is not the client's
// is logged, and the client learns no more than that.
func (s *Server) answering(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := h(w, r)
		if err == nil {
			return
		}
		p := problemOf(err)
		if p == nil {
			if r.Context().Err() != nil {
				return // the client has disconnected, which is why it failed
			}
			s.metrics.Errors.WithLabelValues("http").Inc()
			// The route and not the path, which may hold a session's id.
			s.log.Error("request failed", "method", r.Method, "route", r.Pattern, "err", err)
			p = newProblem(http.StatusInternalServerError, "the server could not do this; its log says why")
		}
		writeProblem(w, p)
	})
}

// methods has a handler for each method. GET's also serves HEAD. Other methods are 405 (RFC 9110, section 15.5.6).
type methods map[string]handler

func (m methods) serve(w http.ResponseWriter, r *http.Request) error {
	if h := m.find(r.Method); h != nil {
		return h(w, r)
	}
	return newProblem(http.StatusMethodNotAllowed, "use "+m.allow()).with("Allow", m.allow())
}

func (m methods) find(method string) handler {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	return m[method]
}

func (m methods) allow() string {
	var names []string
	for _, name := range []string{"GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS"} {
		if m.find(name) != nil {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

func noContent(w http.ResponseWriter) error {
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func options(w http.ResponseWriter, key, value string) error {
	w.Header().Set(key, value)
	return noContent(w)
}

// refused counts and logs an offer that did not become a session: many publishers show no more than the status. The log
// has the network of the client's address, not the address.
func (s *Server) refused(r *http.Request, err error) {
	reason, detail := refusedInternal, err.Error()
	if p := problemOf(err); p != nil {
		detail = p.Detail
		switch {
		case p.reason != "":
			reason = p.reason
		case p.Status < 500:
			reason = refusedOffer
		}
	} else if errors.Is(err, context.Canceled) {
		reason = refusedGone
	}
	s.metrics.Refused.WithLabelValues(reason).Inc()
	s.log.Info("offer refused", "reason", reason, "detail", fmt.Sprintf("%.300s", detail),
		"network", shortened(s.cfg.Proxies.ClientAddr(r)))
}

// shortened returns the network that an address belongs to, too large to tell a person: a /24 of IPv4, a /48 of IPv6.
func shortened(a netip.Addr) string {
	bits := 48
	if a = a.Unmap(); a.Is4() {
		bits = 24
	}
	network, err := a.Prefix(bits)
	if err != nil {
		return "unknown"
	}
	return network.String()
}
