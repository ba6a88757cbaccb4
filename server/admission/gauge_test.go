package admission

import (
	"math"
	"testing"
	"time"
)

func TestGauge(t *testing.T) {
	var g Gauge
	if !math.IsInf(g.Rate(noon), 1) {
		t.Error("before the first frame")
	}
	run := func(from time.Time, span, took time.Duration) time.Time { // of one session that always has a frame
		to := from.Add(span)
		for from.Before(to) {
			from = from.Add(took)
			g.Add(took, from)
		}
		return to
	}
	near := func(got, want float64) bool { return math.Abs(got-want) < 0.05*want }
	now := run(noon, 10*time.Second, 20*time.Millisecond)
	if got := g.Rate(now); !near(got, 50) {
		t.Errorf("%v labels a second, want 50", got)
	}
	now = run(now, 10*time.Second, 250*time.Millisecond) // it became busy
	if got := g.Rate(now); !near(got, 4) {
		t.Errorf("%v labels a second, want 4", got)
	}
	for wanted, want := range map[float64]Load{0: Idle, 1: Idle, 3: Busy, 5: Over} {
		if got := g.Load(wanted, now); got != want {
			t.Errorf("%v wanted: load %d, want %d", wanted, got, want)
		}
	}
	if got := g.Rate(now.Add(window)); !math.IsInf(got, 1) {
		t.Errorf("after a silence: %v", got)
	}
	now = now.Add(2 * window)
	for range least - 1 {
		g.Add(100*time.Millisecond, now)
	}
	if got := g.Rate(now); !math.IsInf(got, 1) {
		t.Errorf("by a few frames: %v", got)
	}
	g = Gauge{}
	g.Add(2*time.Second, now)
	if got := g.Rate(now); got != 0.5 {
		t.Errorf("by one that took 2 s: %v", got)
	}
}
