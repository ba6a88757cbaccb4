package server

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"time"

	"mindflow/pipeline"
	"mindflow/server/admission"
	"mindflow/server/session"
)

// open admits v and makes its session, which begins with the given analysis. It holds mu, so that replace finds the
// session of each place.
func (s *Server) open(with pipeline.Analysis, v visitor) (*hosted, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return nil, stopping()
	}
	now := time.Now()
	place, err := s.admission.Admit(v.client(), now)
	if err != nil {
		return nil, err
	}
	made, err := s.factory.New(s.parent, session.Options{ID: newID(), Analysis: with, Until: place.Until})
	if err != nil {
		s.admission.Release(place, true, false, now)
		return nil, err
	}
	sess := &hosted{made, v.grant.Subject, place, make(chan struct{})}
	s.sessions[sess.ID()] = sess
	s.metrics.Started.Inc()
	s.metrics.Sessions.Inc()
	s.work.Add(1) // under mu and before closing: shutdown waits for it
	return sess, nil
}

// start serves an opened session until it ends.
func (s *Server) start(sess *hosted) {
	go func() {
		sess.Run()
		s.forget(sess)
	}()
}

// discard ends an opened session that was not started.
func (s *Server) discard(sess *hosted) {
	sess.Discard()
	s.forget(sess)
}

// forget removes a session that has ended and gives its place back last: by then its relay is gone and its end counted.
func (s *Server) forget(sess *hosted) {
	user := relayUser(sess.ID())
	s.relayed.Delete(user)
	if s.turn != nil {
		s.turn.Forget(user)
	}
	s.metrics.Sessions.Dec()
	s.metrics.Ended.WithLabelValues(string(sess.Reason())).Inc()
	s.mu.Lock()
	delete(s.sessions, sess.ID())
	s.releasePlace(sess, time.Now())
	s.mu.Unlock()
	s.work.Done()
	close(sess.gone)
}

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

// newID returns an id for a session. It cannot be guessed: who knows it may control the session.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return hex.EncodeToString(b[:])
}
