package session

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"mindflow/pipeline"
	"mindflow/pipeline/schedule"
	"mindflow/pipeline/testkit"
	"mindflow/server/servertest"
	"mindflow/server/whipclient"
)

// TestOverloadLasts: a machine that was overloaded counts as such for a while, so that the classifier does not change
// with every frame.
func TestOverloadLasts(t *testing.T) {
	w := &analyst{analyzer: pipeline.NewAnalyzer(pipeline.Analysis{})}
	start := time.Now()
	for _, step := range []struct {
		at, waited time.Duration
		overloaded bool
	}{
		{0, 0, false},
		{time.Second, overloadWait, false},
		{2 * time.Second, 2 * overloadWait, true},
		{2*time.Second + overloadTime - 1, 0, true},
		{2*time.Second + overloadTime, 0, false},
		{10 * time.Second, time.Second, true},
		{11 * time.Second, 0, true},
	} {
		w.relieve(step.waited, start.Add(step.at))
		if w.analyzer.Overloaded != step.overloaded {
			t.Errorf("after %s, waited %s: overloaded %t; want %t", step.at, step.waited, w.analyzer.Overloaded,
				step.overloaded)
		}
	}
}

// followed is an engine with one turn, that leaves out what it can for so long.
func followed(putOff time.Duration) Engine {
	e := decoding(servertest.OneFace{})
	e.Analyses[0].Policy = pipeline.AnalysisPolicy{
		DetectEvery:   time.Millisecond,
		ClassifyEvery: time.Millisecond,
		MaxDefer:      putOff,
	}
	e.Scheduler = schedule.New(
		1,
		schedule.Batching{InFlight: 1},
	) // so that who has the turn keeps no batch from its end
	return e
}

// stillSource is a second of a picture that stays.
func stillSource(t *testing.T) []pipeline.Unit {
	return testkit.Encode(t, pipeline.VP8, "-f", "lavfi", "-i", "smptebars=size=160x120:rate=30", "-frames:v", "30")
}

// withoutTurns takes the only turn there is, once labels have come.
func withoutSlots(p servertest.Publisher, s *host) (other *schedule.Slot) {
	p.T.Helper()
	p.Label("the first label", servertest.Any)
	other = s.cfg.Engine.Scheduler.NewSlot()
	if err := other.Acquire(p.T.Context()); err != nil {
		p.T.Fatal(err)
	}
	return other
}

// While others have the machine a session's faces are followed, with the scores that they have, which say how old they
// are. When its turn comes they are new again.
func TestFollowedWithoutATurn(t *testing.T) {
	s := begin(t, followed(time.Hour), nil)
	p := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
	p.Stream(stillSource(t))
	other := withoutSlots(p, s)
	var last pipeline.Message
	age, news := 0.0, 0
	for range 10 {
		got := p.Label(
			"a frame that is only followed",
			func(m pipeline.Message) bool { return len(m.Faces) == 1 && m.Faces[0].AgeMS > 100 },
		)
		if got.RTP == last.RTP || got.Seq <= last.Seq || got.MS.Classify != 0 {
			t.Errorf("%+v after %+v", got, last)
		}
		if got.Faces[0].AgeMS <= age {
			if news++; news > 1 { // one may have been under way
				t.Errorf("scores are %v ms old after %v", got.Faces[0].AgeMS, age)
			}
		}
		last, age = got, got.Faces[0].AgeMS
	}
	if n := testutil.ToFloat64(s.cfg.Metrics.Followed); n < 10 {
		t.Errorf("%v frames count as followed", n)
	}
	other.Release()
	fresh := p.Label("a frame that is looked at", func(m pipeline.Message) bool { return m.Faces[0].AgeMS < age })
	if fresh.RTP == last.RTP {
		t.Error("a frame was told twice")
	}
}

// With nothing put off, frames wait for their turn.
func TestNotFollowedWhereNothingIsPutOff(t *testing.T) {
	s := begin(t, followed(0), nil)
	p := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
	p.Stream(stillSource(t))
	other := withoutSlots(p, s)
	sess := s.only(t)
	said, stale := sess.analysed.Load(), sess.dropped[dropStale].Load()
	servertest.WaitFor(t, "frames to go by", func() bool { return sess.dropped[dropStale].Load() >= stale+10 })
	if now := sess.analysed.Load(); now > said+1 { // that was under way
		t.Errorf("%d frames were told without a turn", now-said)
	}
	other.Release()
	p.Label("a label", func(m pipeline.Message) bool { return m.Seq > said+1 })
}
