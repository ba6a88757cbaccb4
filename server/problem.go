package server

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"mindflow/server/admission"
	"mindflow/server/offer"
	"mindflow/server/session"
)

// problem is an error that a client is sent: RFC 9457, application/problem+json.
type problem struct {
	Type   string `json:"type"` // "about:blank", or what kind set
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail"` // what to do about it

	*Queued // of a queued visitor

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

// because sets the reason for the metrics: one of few.
func (p *problem) because(reason string) *problem {
	p.reason = reason
	return p
}

// kind sets a URI by which programs distinguish problems of the same status.
func (p *problem) kind(uri string) *problem {
	p.Type = uri
	return p
}

// problemOf maps an error to the problem that a client is sent. It returns nil for an error that is the server's.
func problemOf(err error) *problem {
	var (
		p       *problem
		refusal *offer.Refusal
		wait    *admission.WaitError
		refused *admission.RefusedError
	)
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &refusal) && refusal.Kind == offer.Unservable:
		return newProblem(http.StatusUnprocessableEntity, refusal.Detail)
	case errors.As(err, &refusal):
		return newProblem(http.StatusBadRequest, refusal.Detail)
	case errors.Is(err, session.ErrEnded):
		return noSession()
	case errors.Is(err, session.ErrOutdated):
		return newProblem(http.StatusPreconditionFailed, session.ErrOutdated.Error())
	case errors.Is(err, session.ErrTooOften):
		return newProblem(http.StatusTooManyRequests, session.ErrTooOften.Error()).with("Retry-After", "1")
	case errors.As(err, &wait):
		p := newProblem(http.StatusServiceUnavailable, wait.Error()).
			kind("urn:mindflow:waiting").because(refusedWaiting).
			with("Retry-After", seconds(wait.Status.RetryAfter())).with(ticketHeader, wait.Status.Ticket)
		p.Queued = queued(wait.Status)
		return p
	case errors.As(err, &refused):
		return notAdmitted(refused)
	}
	return nil
}

// notAdmitted maps an error of admission.
func notAdmitted(err *admission.RefusedError) *problem {
	switch retryAfter := seconds(err.RetryAfter); err.Reason {
	case admission.QueueFull:
		return newProblem(http.StatusServiceUnavailable, err.Error()).
			because(refusedFull).with("Retry-After", retryAfter)
	case admission.UnknownTicket:
		return newProblem(http.StatusNotFound, err.Error())
	default:
		return newProblem(http.StatusTooManyRequests, err.Error()).kind("urn:mindflow:limit-per-"+string(err.Reason)).
			because("per-"+string(err.Reason)).with("Retry-After", retryAfter)
	}
}

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

func writeProblem(w http.ResponseWriter, p *problem) {
	for key, values := range p.header {
		w.Header()[key] = values
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // a write error means that the client is gone
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
