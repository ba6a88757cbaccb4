package server

import (
	"time"

	"mindflow/pipeline"
)

// open admits v and makes its session, which begins with the given analysis. It holds mu, so that replace finds the session of each slot.
func (s *Server) open(with pipeline.Analysis, v visitor) (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return nil, stopping()
	}
	now := time.Now()
	slot, err := s.admission.Admit(v.client(), now)
	if err != nil {
		return nil, notAdmitted(err)
	}
	t := terms{
		codecs: s.codecs, analysis: with, owner: v.grant.Subject, ports: s.media,
		maxSide: s.cfg.MaxSide, maxFramerate: s.cfg.MaxFramerate, hintEvery: s.cfg.HintEvery,
		noMedia: s.cfg.NoMedia, pausedMax: s.cfg.PausedMax, maxRecords: s.cfg.MaxRecords,
		slot: slot, load: s.load,
	}
	sess, err := newSession(s.parent, newID(), s.api, &s.engine, t, s.log, s.meters, s.leave)
	if err != nil {
		s.admission.Release(slot, true, false, now)
		return nil, err
	}
	s.sessions[sess.id] = sess
	s.meters.Started.Inc()
	s.meters.Sessions.Inc()
	s.work.Add(1) // under mu and before closing: shutdown waits for it
	return sess, nil
}

// start serves an opened session until it ends.
func (s *Server) start(sess *session) {
	go func() {
		sess.run()
		s.forget(sess)
		close(sess.done)
	}()
}

// discard ends an opened session that was not started.
func (s *Server) discard(sess *session) {
	sess.end(endFailed)
	sess.release()
	s.forget(sess)
	close(sess.done)
}

// forget removes a session that has ended and gives its slot back last: by then its relay is gone and its end counted.
func (s *Server) forget(sess *session) {
	user := relayUser(sess.id)
	s.relayed.Delete(user)
	if s.turn != nil {
		s.turn.Forget(user)
	}
	s.meters.Sessions.Dec()
	s.meters.Ended.WithLabelValues(string(sess.why())).Inc()
	s.mu.Lock()
	delete(s.sessions, sess.id)
	s.releaseSlot(sess, time.Now())
	s.mu.Unlock()
	s.work.Done()
}
