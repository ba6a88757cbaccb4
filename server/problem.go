package server

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"mindflow/server/admission"
	"mindflow/server/offer"
	"mindflow/server/session"
)

// Reasons of a refusal in the metrics; admission adds its own.
const (
	refusedFull     = "full"
	refusedDraining = "draining"
	refusedWaiting  = "waiting" // queued
	refusedAddress  = "per-address"
	refusedKey      = "per-key"
	refusedToken    = "token" // missing or invalid
	refusedOffer    = "offer" // malformed or unservable
	refusedOrigin   = "origin"
	refusedGone     = "gone" // the publisher left before its answer
	refusedInternal = "internal"
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
	case errors.Is(err, session.ErrETag):
		return newProblem(http.StatusPreconditionFailed, session.ErrETag.Error())
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

func writeProblem(w http.ResponseWriter, p *problem) {
	for key, values := range p.header {
		w.Header()[key] = values
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // a write error means that the client is gone
}

func noSession() *problem {
	return newProblem(http.StatusNotFound, "there is no such session, or it has ended")
}

func stopping() *problem {
	return newProblem(http.StatusServiceUnavailable,
		"the server is stopping; it, or another, may be there in a moment").
		with("Retry-After", "2").kind("urn:mindflow:draining").because(refusedDraining)
}

// seconds formats a Retry-After of at least one second.
func seconds(d time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(d.Seconds()))))
}

// Queued is the status of a queued visitor: web/PROTOCOL.md, section 1.1.
type Queued struct {
	Ahead    int   `json:"ahead"`   // clients that precede it
	Waiting  int   `json:"waiting"` // clients in the queue, itself included
	Turn     bool  `json:"turn"`
	AgainMS  int64 `json:"again_ms"`
	WithinMS int64 `json:"within_ms,omitempty"` // when Turn
}

func queued(s admission.Status) *Queued {
	return &Queued{s.Ahead, s.Waiting, s.Reserved, s.PollAfter.Milliseconds(), s.Within.Milliseconds()}
}
