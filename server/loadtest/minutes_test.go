package loadtest

import (
	"testing"
	"time"
)

// Each whole minute has its own figures, whatever came before, and the rest of one has none.
func TestMinutes(t *testing.T) {
	const ms = time.Millisecond
	var m minutes
	sum := total{sessions: 2}
	for _, step := range []struct {
		at     time.Duration
		labels int
		delay  time.Duration
	}{
		{30 * time.Second, 600, 10 * ms},
		{60 * time.Second, 600, 10 * ms},
		{119 * time.Second, 60, 30 * ms},
		{121 * time.Second, 62, 30 * ms}, // a second late
		{180 * time.Second, 0, 0},
		{200 * time.Second, 99, ms},
	} {
		sum.labels += step.labels
		for range step.labels {
			sum.delays.add(step.delay)
		}
		m.see(&sum, step.at)
	}
	if len(m.all) != 3 {
		t.Fatalf("%d minutes", len(m.all))
	}
	for i, want := range []struct{ p50, rate float64 }{{10, 10}, {30, 1}} {
		got := m.all[i]
		if got.P50 == nil || *got.P50 < want.p50*0.99 || *got.P50 > want.p50*1.01 || *got.P95 != *got.P50 ||
			got.Rate != want.rate {
			t.Errorf("minute %d: %+v, want %v", i, got, want)
		}
	}
	if last := m.all[2]; last.P50 != nil || last.P95 != nil || last.Rate != 0 {
		t.Errorf("a minute without labels: %+v", last)
	}
}
