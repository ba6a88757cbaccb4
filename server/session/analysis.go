package session

import (
	"encoding/json"
	"time"

	"github.com/pion/webrtc/v3"

	"mindflow/pipeline"
	"mindflow/pipeline/schedule"
)

const (
	// overloadWait is the wait for a slot from which the machine counts as overloaded: about a frame's time.
	overloadWait = 30 * time.Millisecond
	// overloadTime is how long it counts as overloaded after that. The fast classifier relieves the machine, which must
	// not bring the slow one back at once.
	overloadTime = 3 * time.Second
	// followEvery is the wait for a slot after which faces are followed in the newest frame, and then in the next:
	// about a frame's time too.
	followEvery = 35 * time.Millisecond
)

// analyst analyses a session's frames and sends the labels. It is owned by its goroutine.
type analyst struct {
	*Session
	slot      *schedule.Slot
	analyzer  *pipeline.Analyzer
	model     string // in use
	clock     pipeline.Clock
	overload  time.Time        // when the machine was last overloaded
	frame     *pipeline.Frame  // the latest; nil before the first
	labelled  bool             // labels of frame were sent
	message   pipeline.Message // of frame
	since     time.Time        // when a frame was there and no labels were, or the latest were sent
	carryOver time.Duration    // time spent for the next labels before that
	seq       uint64           // of the latest message
}

func newAnalyst(s *Session) *analyst {
	slot, c := s.cfg.Engine.Scheduler.NewSlot(), s.choice.Load()
	analyzer := pipeline.NewAnalyzer(batched(slot, c.analysis))
	return &analyst{Session: s, slot: slot, analyzer: analyzer, model: c.analysis.Model.Name}
}

// batched has crops classified in batches with those of other sessions.
func batched(slot *schedule.Slot, a pipeline.Analysis) pipeline.Analysis {
	a.Classifier = slot.Classifier(a.Model.Name, a.Classifier)
	if a.FastClassifier != nil {
		a.FastClassifier = slot.Classifier(a.Model.Name+", fast", a.FastClassifier)
	}
	return a
}

// run analyses the newest frame whenever the session has a slot.
func (a *analyst) run() {
	for {
		select {
		case <-a.ctx.Done():
			return
		case <-a.frames.Ready():
		}
		if reason, skip := a.skip(); skip {
			if _, ok := a.frames.Take(); ok {
				a.drop(reason, 1)
			}
			continue
		}
		if err := a.analyse(); a.ctx.Err() != nil {
			return
		} else if err != nil {
			a.failed("analysis", "analysis failed", err)
			a.End(EndInternal)
			return
		}
	}
}

// skip reports whether labels would be of no use now: the page paused, or they would wait behind older ones.
func (a *analyst) skip() (dropReason, bool) {
	if a.paused.Load() {
		return dropPaused, true
	}
	if dc := a.labels.Load(); dc != nil && congested(dc) && a.events.Readers() == 0 {
		return dropCongested, true
	}
	return 0, false
}

// congested reports whether labels wait in a data channel: the publisher's line is full, or SCTP retransmits.
func congested(dc *webrtc.DataChannel) bool { return dc.BufferedAmount() > maxBuffered }

// analyse detects the faces of the newest frame in a slot of the session's, and has them classified in a batch's.
// Results for a frame whose labels were sent during the wait are merged into the next message.
func (a *analyst) analyse() error {
	a.since, a.carryOver = time.Now().Add(-a.carryOver), 0
	ok, err := a.detect()
	if err != nil || !ok {
		return err
	}
	if err := a.analyzer.Classify(a.ctx, &a.message); err != nil {
		return err
	}
	ms := &a.message.MS
	ms.Total = a.frameAge()
	a.meters.Analysed(ms.Detect, ms.Classify, ms.Total)
	if a.labelled {
		a.carryOver = time.Since(a.since)
		return nil
	}
	a.send()
	return nil
}

// detect waits for a slot and then detects in the newest frame, which is never older than the slot. During the wait it
// follows. It reports whether there was a new frame.
func (a *analyst) detect() (ok bool, err error) {
	came := false // a frame, during the wait
	if err := a.slot.AcquireWhile(a.ctx, followEvery, func() { came = a.follow() || came }); err != nil {
		return false, err
	}
	defer a.slot.Release()
	if !a.next() && !came {
		return false, nil // Ready was signalled for a frame that was taken since
	}
	a.use(a.choice.Load())
	a.meters.QueueAge(time.Since(a.frame.Arrived))
	a.relieve(a.slot.Waited(), time.Now())
	return true, a.analyzer.Detect(a.ctx, &a.message, a.frame)
}

// use changes to what the publisher chose.
func (a *analyst) use(c *choice) {
	a.analyzer.WithAttention = c.attention
	if name := c.analysis.Model.Name; name != a.model {
		a.model = name
		a.analyzer.Use(batched(a.slot, c.analysis))
	}
}

// relieve has the analyzer use the fast classifier for some time after the machine was overloaded.
func (a *analyst) relieve(waited time.Duration, now time.Time) {
	if waited > overloadWait {
		a.overload = now
	}
	a.analyzer.Overloaded = now.Sub(a.overload) < overloadTime
}

// next takes the newest frame. It reports false when there is no other.
func (a *analyst) next() bool {
	f, ok := a.frames.Take()
	if !ok {
		return false
	}
	if a.frame != nil && !a.labelled {
		a.drop(dropStale, 1)
	}
	f.Taken = a.clock.At(f.RTP, f.Arrived)
	a.frame, a.labelled = f, false
	return true
}

// follow sends where the known faces are in the newest frame, without a slot. It reports whether it took a
// new frame.
func (a *analyst) follow() bool {
	if _, skip := a.skip(); skip || !a.next() {
		return false
	}
	if a.analyzer.Follow(&a.message, a.frame) {
		a.message.MS.Total = a.frameAge()
		a.meters.Followed.Inc()
		a.send()
	}
	return true
}

// frameAge returns the time since the frame arrived, in milliseconds.
func (a *analyst) frameAge() float64 {
	return float64(time.Since(a.frame.Arrived).Microseconds()) / 1000
}

// send sends the message to the data channel and to the readers of events.
func (a *analyst) send() {
	now := time.Now()
	a.cfg.OnLabels(now.Sub(a.since))
	a.labelled, a.since = true, now
	a.seq++
	a.analysed.Add(1)
	m := &a.message
	m.V, m.Seq, m.Dropped = pipeline.Version, a.seq, a.dropped.byReason()
	text, err := json.Marshal(m)
	if err != nil { // a score that is not a number
		a.failed("labels", "encode labels", err)
		a.End(EndInternal)
		return
	}
	a.events.Publish(a.seq, text)
	if dc := a.labels.Load(); dc != nil && !congested(dc) {
		if err := dc.SendText(string(text)); err != nil {
			a.log.Debug("send labels", "err", err)
			return
		}
		a.meters.Labels.Inc()
	}
}
