package server

import (
	"time"

	"mindflow/pipeline"
	"mindflow/server/admission"
	"mindflow/server/session"
)

// hosted is a session and what the server knows about it.
type hosted struct {
	*session.Session
	owner string // the subject that may see and control it; empty means everybody who knows its id
	place *admission.Place
	gone  chan struct{} // closed when its place is free
}

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
