package server

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
)

// problem is an error that a client is told of: RFC 9457, application/problem+json.
type problem struct {
	Type   string `json:"type"` // "about:blank": the status says it all, else see kind
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail"` // what to do about it

	*Queued // of who waits

	header http.Header // sent with it
	reason string      // of a refusal, for metrics
}

func (p *problem) Error() string { return p.Title + ": " + p.Detail }

func newProblem(status int, detail string) *problem {
	return &problem{Type: "about:blank", Status: status, Title: http.StatusText(status), Detail: detail}
}

func (p *problem) with(key, value string) *problem {
	if p.header == nil {
		p.header = http.Header{}
	}
	p.header.Set(key, value)
	return p
}

// because names the reason for metrics: one of few.
func (p *problem) because(reason string) *problem {
	p.reason = reason
	return p
}

// kind says by a URI what a program may want to tell apart although the status is the same.
func (p *problem) kind(uri string) *problem {
	p.Type = uri
	return p
}

// handler answers a request, or returns why it cannot.
type handler func(w http.ResponseWriter, r *http.Request) error

// answering turns h into an http.Handler. Here, and only here, errors become statuses: a problem has
// its own, anything else is the server's fault and stays in its log.
func (s *Server) answering(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := h(w, r)
		if err == nil {
			return
		}
		var p *problem
		if !errors.As(err, &p) {
			if r.Context().Err() != nil {
				return // whoever asked is gone, which is what made it fail
			}
			s.meters.Errors.WithLabelValues("http").Inc()
			s.log.Error("request failed", "method", r.Method, "route", r.Pattern, "err", err) // a path may hold a session's id
			p = newProblem(http.StatusInternalServerError, "the server could not do this; its log says why")
		}
		writeProblem(w, p)
	})
}

func writeProblem(w http.ResponseWriter, p *problem) {
	for key, values := range p.header {
		w.Header()[key] = values
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // a write error means that the client is gone
}

// methods answers by the request's method. HEAD is GET's; what is missing is 405 (RFC 9110, 15.5.6).
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
