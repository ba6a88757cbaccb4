package admission

import (
	"math"
	"testing"
	"time"
)

func TestLoadMeter(t *testing.T) {
	m := NewLoadMeter(0)
	if !math.IsInf(m.Rate(noon), 1) {
		t.Error("before the first frame")
	}
	run := func(from time.Time, span, took time.Duration) time.Time { // of one session that always has a frame
		to := from.Add(span)
		for from.Before(to) {
			from = from.Add(took)
			m.Add(took, from)
		}
		return to
	}
	near := func(got, want float64) bool { return math.Abs(got-want) < 0.05*want }
	now := run(noon, 10*time.Second, 20*time.Millisecond)
	if got := m.Rate(now); !near(got, 50) {
		t.Errorf("%v labels a second, want 50", got)
	}
	now = run(now, 10*time.Second, 250*time.Millisecond) // it became busy
	if got := m.Rate(now); !near(got, 4) {
		t.Errorf("%v labels a second, want 4", got)
	}
	for wanted, want := range map[float64]Load{0: Idle, 1: Idle, 3: Busy, 5: Overloaded} {
		m.minRate = wanted
		if got := m.Load(now); got != want {
			t.Errorf("%v wanted: load %d, want %d", wanted, got, want)
		}
	}
	if got := m.Rate(now.Add(meterWindow)); !math.IsInf(got, 1) {
		t.Errorf("after a silence: %v", got)
	}
	now = now.Add(2 * meterWindow)
	for range minFrames - 1 {
		m.Add(100*time.Millisecond, now)
	}
	if got := m.Rate(now); !math.IsInf(got, 1) {
		t.Errorf("by a few frames: %v", got)
	}
	m = NewLoadMeter(0)
	m.Add(2*time.Second, now)
	if got := m.Rate(now); got != 0.5 {
		t.Errorf("by one that took 2 s: %v", got)
	}
}
