package server

import (
	"encoding/json"
	"time"

	"mindflow/pipeline"
)

// infer analyses the newest frame whenever it is this session's turn, and sends what is seen. It owns
// the analyzer.
func (s *session) infer() {
	analyzer := pipeline.NewAnalyzer(s.choice.Load().analysis)
	var clock pipeline.Clock
	var seq uint64
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-s.frames.Ready():
		}
		if reason, skip := s.skipLabels(); skip {
			if _, ok := s.frames.Take(); ok {
				s.dropped.add(reason, 1)
			}
			continue
		}
		m, ok, err := s.analyze(analyzer, &clock)
		switch {
		case s.ctx.Err() != nil:
			return
		case err != nil:
			s.log.Error("analysis failed", "err", err)
			s.end(endInternal)
			return
		case ok:
			seq++
			s.sendLabels(m, seq)
		}
	}
}

// skipLabels says whether labels would be of no use now: not wanted, or stuck behind older ones.
func (s *session) skipLabels() (dropReason, bool) {
	if s.paused.Load() {
		return dropPaused, true
	}
	if dc := s.labels.Load(); dc != nil && dc.BufferedAmount() > maxBuffered {
		return dropCongested, true
	}
	return 0, false
}

// analyze waits for a turn and then takes the newest frame, so that what is analysed is never older
// than the turn.
func (s *session) analyze(a *pipeline.Analyzer, clock *pipeline.Clock) (m *pipeline.Message, ok bool, err error) {
	if err := s.engine.Turns.Take(s.ctx); err != nil {
		return nil, false, err
	}
	defer s.engine.Turns.Give()
	f, ok := s.frames.Take()
	if !ok {
		return nil, false, nil
	}
	f.Taken = clock.At(f.RTP, f.Arrived)
	m = &pipeline.Message{}
	chosen := s.choice.Load()
	a.Use(chosen.analysis)
	a.Attention = chosen.attention
	if err := a.Analyze(s.ctx, m, f); err != nil {
		return nil, false, err
	}
	m.MS.Total = float64(time.Since(f.Arrived).Microseconds()) / 1000
	return m, true, nil
}

// sendLabels gives a message to the data channel and to the readers of events.
func (s *session) sendLabels(m *pipeline.Message, seq uint64) {
	m.V, m.Seq, m.Dropped = pipeline.Version, seq, s.dropped.byReason()
	text, err := json.Marshal(m)
	if err != nil { // a score that is not a number
		s.log.Error("encode labels", "err", err)
		s.end(endInternal)
		return
	}
	s.events.publish(seq, text)
	if dc := s.labels.Load(); dc != nil {
		if err := dc.SendText(string(text)); err != nil {
			s.log.Debug("send labels", "err", err)
		}
	}
}
