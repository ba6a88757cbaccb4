package server

import (
	"encoding/json"
	"time"

	"github.com/pion/webrtc/v3"

	"mindflow/pipeline"
	"mindflow/pipeline/schedule"
)

// infer analyses the newest frame whenever it is this session's turn, and sends what is seen. It owns
// the analyzer.
func (s *session) infer() {
	w := newWorker(s.engine.Scheduler.NewSlot(), s.choice.Load())
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
		if err := s.analyze(w); s.ctx.Err() != nil {
			return
		} else if err != nil {
			s.failed("analysis", "analysis failed", err)
			s.end(endInternal)
			return
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
	// fullWait is the wait for a turn from which the machine counts as full: about a frame's time.
	fullWait = 30 * time.Millisecond
	// crowdedTime is how long it counts as crowded after that: the faster classifier makes it less full, which must not bring the slower back at once.
	crowdedTime = 3 * time.Second
	// followEvery is the time that a turn is waited for until a frame is only followed, and then the next: about a frame's time too.
	followEvery = 35 * time.Millisecond
)

// worker is what infer works with.
type worker struct {
	seat     *schedule.Slot
	analyzer *pipeline.Analyzer
	model    string // in use
	clock    pipeline.Clock
	full     time.Time        // when the machine last was
	frame    *pipeline.Frame  // the latest that was taken; nil before one was
	told     bool             // labels were sent for it
	message  pipeline.Message // of it
	since    time.Time        // when a frame was there and no labels were, or the latest were sent
	owed     time.Duration    // what the next labels took before that
	seq      uint64           // of the latest message that was sent
}

func newWorker(seat *schedule.Slot, c *choice) *worker {
	return &worker{seat: seat, analyzer: pipeline.NewAnalyzer(seated(seat, c)), model: c.analysis.Model.Name}
}

// seated has the crops classified in batches with those of other sessions.
func seated(seat *schedule.Slot, c *choice) pipeline.Analysis {
	with := c.analysis
	with.Classifier = seat.Classifier(with.Model.Name, with.Classifier)
	if with.FastClassifier != nil {
		with.FastClassifier = seat.Classifier(with.Model.Name+", fast", with.FastClassifier)
	}
	return with
}

// use goes on as the publisher wishes.
func (w *worker) use(c *choice) {
	w.analyzer.WithAttention = c.attention
	if name := c.analysis.Model.Name; name != w.model {
		w.model = name
		w.analyzer.Use(seated(w.seat, c))
	}
}

// hurry has the analyzer take the faster classifier for some time after the machine was full, which the wait for a turn tells.
func (w *worker) hurry(waited time.Duration, now time.Time) {
	if waited > fullWait {
		w.full = now
	}
	w.analyzer.Overloaded = now.Sub(w.full) < crowdedTime
}

// analyze finds the newest frame's faces in a turn of its own, and has them classified in a batch's. What is found in a frame whose
// labels were sent while the turn was waited for is told with the next.
func (s *session) analyze(w *worker) error {
	w.since, w.owed = time.Now().Add(-w.owed), 0
	ok, err := s.takeTurn(w)
	if err != nil || !ok {
		return err
	}
	if err := w.analyzer.Classify(s.ctx, &w.message); err != nil {
		return err
	}
	ms := &w.message.MS
	ms.Total = float64(time.Since(w.frame.Arrived).Microseconds()) / 1000
	s.meters.Analysed(ms.Detect, ms.Classify, ms.Total)
	if w.told {
		w.owed = time.Since(w.since)
		return nil
	}
	s.tell(w)
	return nil
}

// takeTurn waits for a turn and then looks at the newest frame, so that what is analysed is never older than the turn. Meanwhile
// faces are followed.
func (s *session) takeTurn(w *worker) (ok bool, err error) {
	came := false // a frame, meanwhile
	if err := w.seat.AcquireWhile(s.ctx, followEvery, func() { came = s.follow(w) || came }); err != nil {
		return false, err
	}
	defer w.seat.Release()
	if !s.next(w) && !came {
		return false, nil // Ready was signalled for what is gone
	}
	w.use(s.choice.Load())
	s.meters.QueueAge(time.Since(w.frame.Arrived))
	w.hurry(w.seat.Waited(), time.Now())
	return true, w.analyzer.Detect(s.ctx, &w.message, w.frame)
}

// next goes on to the newest frame, if there is another.
func (s *session) next(w *worker) bool {
	f, ok := s.frames.Take()
	if !ok {
		return false
	}
	if w.frame != nil && !w.told {
		s.drop(dropStale, 1)
	}
	f.Taken = w.clock.At(f.RTP, f.Arrived)
	w.frame, w.told = f, false
	return true
}

// follow tells where the known faces are in the newest frame, without a turn. It is false where there is none.
func (s *session) follow(w *worker) bool {
	if _, skip := s.skipLabels(); skip || !s.next(w) {
		return false
	}
	if w.analyzer.Track(&w.message, w.frame) {
		w.message.MS.Total = float64(time.Since(w.frame.Arrived).Microseconds()) / 1000
		s.meters.Followed.Inc()
		s.tell(w)
	}
	return true
}

// tell sends the message.
func (s *session) tell(w *worker) {
	now := time.Now()
	s.terms.load.Add(now.Sub(w.since), now)
	w.told, w.since = true, now
	w.seq++
	s.analysed.Add(1)
	s.sendLabels(&w.message, w.seq)
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
