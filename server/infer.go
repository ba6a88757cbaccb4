package server

import (
	"encoding/json"
	"time"

	"mindflow/pipeline"
)

// infer analyses the newest frame whenever it is this session's turn, and sends what is seen. It owns
// the analyzer.
func (s *session) infer() {
	w := newWorker(s.engine.Scheduler.Join(), s.choice.Load())
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
		m, ok, err := s.analyze(w)
		switch {
		case s.ctx.Err() != nil:
			return
		case err != nil:
			s.log.Error("analysis failed", "err", err)
			s.end(endInternal)
			return
		case ok:
			seq++
			s.analysed.Add(1)
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

// hurryWait is the wait for a turn from which the machine counts as full: about a frame's time.
const hurryWait = 30 * time.Millisecond

// worker is what infer works with.
type worker struct {
	seat     *pipeline.Seat
	analyzer *pipeline.Analyzer
	model    string // in use
	clock    pipeline.Clock
	message  pipeline.Message // of the present frame
}

func newWorker(seat *pipeline.Seat, c *choice) *worker {
	return &worker{seat: seat, analyzer: pipeline.NewAnalyzer(seated(seat, c)), model: c.analysis.Model.Name}
}

// seated has the crops classified in batches with those of other sessions.
func seated(seat *pipeline.Seat, c *choice) pipeline.Analysis {
	with := c.analysis
	with.Classifier = seat.Classifier(with.Model.Name, with.Classifier)
	return with
}

// use goes on as the publisher wishes.
func (w *worker) use(c *choice) {
	w.analyzer.Attention = c.attention
	if name := c.analysis.Model.Name; name != w.model {
		w.model = name
		w.analyzer.Use(seated(w.seat, c))
	}
}

// analyze finds the newest frame's faces in a turn of its own, and has them classified in a batch's.
func (s *session) analyze(w *worker) (m *pipeline.Message, ok bool, err error) {
	f, ok, err := s.takeTurn(w)
	if err != nil || !ok {
		return nil, false, err
	}
	if err := w.analyzer.Tell(s.ctx, &w.message); err != nil {
		return nil, false, err
	}
	w.message.MS.Total = float64(time.Since(f.Arrived).Microseconds()) / 1000
	return &w.message, true, nil
}

// takeTurn waits for a turn and then takes the newest frame, so that what is analysed is never older than the turn.
func (s *session) takeTurn(w *worker) (f *pipeline.Frame, ok bool, err error) {
	if err := w.seat.Take(s.ctx); err != nil {
		return nil, false, err
	}
	defer w.seat.Give()
	if f, ok = s.frames.Take(); !ok {
		return nil, false, nil
	}
	f.Taken = w.clock.At(f.RTP, f.Arrived)
	w.use(s.choice.Load())
	w.analyzer.Hurry = w.seat.Waited() > hurryWait
	return f, true, w.analyzer.Look(s.ctx, &w.message, f)
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
