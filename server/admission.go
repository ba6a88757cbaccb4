package server

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"time"

	"mindflow/pipeline"
	"mindflow/server/admission"
	"mindflow/server/session"
)

// ticketHeader is the header of the ticket of a visitor that is queued or has a place: web/PROTOCOL.md, section 1.1.
const ticketHeader = "Mindflow-Ticket"

// client returns the visitor as admission knows it.
func (v visitor) client() admission.Client {
	return admission.Client{
		Address: v.network, Key: v.grant.Subject, PerKey: v.grant.MaxSessions, SessionTime: v.grant.SessionTime,
		Ticket: v.ticket,
	}
}

// checkAdmission returns the problem that v has while there is no place for it, before its request's body is read.
func (s *Server) checkAdmission(v visitor, now time.Time) error {
	if s.isClosing() {
		return stopping()
	}
	if s.admission.HasPlace(v.client()) { // it reconnects and keeps its place
		return nil
	}
	return s.admission.Check(v.client(), now)
}

func (s *Server) isClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

// replace ends the session of v's ticket, if any: its page reconnects before the server has noticed that the last
// connection broke. Its place stays reserved.
func (s *Server) replace(ctx context.Context, v visitor) error {
	s.mu.Lock()
	var old *hosted
	for _, sess := range s.sessions {
		if v.ticket != "" && sess.place.Ticket == v.ticket && v.owns(sess) {
			old = sess
		}
	}
	s.mu.Unlock()
	if old == nil {
		return nil
	}
	old.End(session.EndReplaced)
	select {
	case <-old.gone:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// releasePlace gives a session's place back.
func (s *Server) releasePlace(sess *hosted, now time.Time) {
	why := sess.Reason()
	mayReturn := false
	switch why {
	case session.EndReplaced, session.EndDeleted, session.EndClosed, session.EndFailed, session.EndKeyLimit,
		session.EndInternal:
		mayReturn = true
	}
	s.admission.Release(sess.place, mayReturn, why == session.EndReplaced, now)
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

// waiting serves GET /waiting: the status of a queued visitor.
func (s *Server) waiting(w http.ResponseWriter, _ *http.Request, v visitor) error {
	if s.isClosing() {
		return stopping()
	}
	status, err := s.admission.Poll(v.client(), time.Now())
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("Retry-After", seconds(status.RetryAfter()))
	return json.NewEncoder(w).Encode(struct {
		V int `json:"v"`
		*Queued
	}{pipeline.Version, queued(status)})
}

// leaveQueue serves DELETE /waiting.
func (s *Server) leaveQueue(w http.ResponseWriter, _ *http.Request, v visitor) error {
	s.admission.Leave(v.client(), time.Now())
	return noContent(w)
}
