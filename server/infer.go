package server

import (
	"encoding/json"
	"time"

	"github.com/pion/webrtc/v3"

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
				s.drop(reason, 1)
			}
			continue
		}
		began := time.Now()
		m, ok, err := s.analyze(w)
		switch {
		case s.ctx.Err() != nil:
			return
		case err != nil:
			s.failed("analysis", "analysis failed", err)
			s.end(endInternal)
			return
		case ok:
			seq++
			s.analysed.Add(1)
			s.sendLabels(m, seq)
			s.terms.gauge.add(time.Since(began))
		}
	}
}

// skipLabels says whether labels would be of no use now: not wanted, or stuck behind older ones.
func (s *session) skipLabels() (dropReason, bool) {
	if s.paused.Load() {
		return dropPaused, true
	}
	if dc := s.labels.Load(); dc != nil && congested(dc) && s.events.readers.Load() == 0 {
		return dropCongested, true
	}
	return 0, false
}

// congested says whether the publisher's line is full of labels, or SCTP waits to send them again.
func congested(dc *webrtc.DataChannel) bool { return dc.BufferedAmount() > maxBuffered }

const (
	// hurryWait is the wait for a turn from which the machine counts as full: about a frame's time.
	hurryWait = 30 * time.Millisecond
	// crowdedTime is how long it counts as crowded after that: the faster classifier makes it less full, which must not bring the slower back at once.
	crowdedTime = 3 * time.Second
)

// worker is what infer works with.
type worker struct {
	seat     *pipeline.Seat
	analyzer *pipeline.Analyzer
	model    string // in use
	clock    pipeline.Clock
	full     time.Time        // when the machine last was
	message  pipeline.Message // of the present frame
}

func newWorker(seat *pipeline.Seat, c *choice) *worker {
	return &worker{seat: seat, analyzer: pipeline.NewAnalyzer(seated(seat, c)), model: c.analysis.Model.Name}
}

// seated has the crops classified in batches with those of other sessions.
func seated(seat *pipeline.Seat, c *choice) pipeline.Analysis {
	with := c.analysis
	with.Classifier = seat.Classifier(with.Model.Name, with.Classifier)
	if with.Hurried != nil {
		with.Hurried = seat.Classifier(with.Model.Name+", hurried", with.Hurried)
	}
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

// hurry has the analyzer spare what it can, by how long the turn was waited for.
func (w *worker) hurry(waited time.Duration, now time.Time) {
	w.analyzer.Hurry = waited > hurryWait
	if w.analyzer.Hurry {
		w.full = now
	}
	w.analyzer.Crowded = now.Sub(w.full) < crowdedTime
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
	ms := &w.message.MS
	ms.Total = float64(time.Since(f.Arrived).Microseconds()) / 1000
	s.meters.Analysed(ms.Detect, ms.Classify, ms.Total)
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
	s.meters.Turn(time.Since(f.Arrived))
	f.Taken = w.clock.At(f.RTP, f.Arrived)
	w.use(s.choice.Load())
	w.hurry(w.seat.Waited(), time.Now())
	return f, true, w.analyzer.Look(s.ctx, &w.message, f)
}

// sendLabels gives a message to the data channel and to the readers of events.
func (s *session) sendLabels(m *pipeline.Message, seq uint64) {
	m.V, m.Seq, m.Dropped = pipeline.Version, seq, s.dropped.byReason()
	text, err := json.Marshal(m)
	if err != nil { // a score that is not a number
		s.failed("labels", "encode labels", err)
		s.end(endInternal)
		return
	}
	s.events.publish(seq, text)
	if dc := s.labels.Load(); dc != nil && !congested(dc) {
		if err := dc.SendText(string(text)); err != nil {
			s.log.Debug("send labels", "err", err)
			return
		}
		s.meters.Labels.Inc()
	}
}
