package receive

import (
	"math"
	"testing"
	"time"
)

// The rate rises while all arrives, falls with heavy loss, and stays within its bounds.
func TestEstimateFollowsLoss(t *testing.T) {
	const perSecond = 100
	now := time.Unix(0, 0)
	seq := uint16(65500) // it wraps around on the way
	var r lossEstimate
	if rate, ok := r.due(seq, now); !ok || rate != estimateFirst {
		t.Errorf("the first packet is answered by %.0f bits a second, %t", rate, ok)
	}
	for _, row := range []struct {
		name    string
		seconds int
		lost    func(n int) bool
		want    float64
	}{
		{"nothing lost", 1, func(int) bool { return false }, estimateFirst * 1.05},
		{"nothing lost for long", 60, func(int) bool { return false }, estimateMost},
		{"a little lost", 30, func(n int) bool { return n%20 == 3 }, estimateMost},
		{"a fifth lost", 1, func(n int) bool { return n%5 == 3 }, estimateMost * 0.9},
		{"half lost for long", 60, func(n int) bool { return n%2 == 1 }, estimateLeast},
		{"nothing lost again", 2, func(int) bool { return false }, estimateLeast * 1.05},
	} {
		for n := range row.seconds * perSecond {
			seq++
			now = now.Add(time.Second / perSecond)
			if !row.lost(n) {
				r.due(seq, now)
			}
		}
		if math.Abs(r.rate-row.want) > row.want*0.02 {
			t.Errorf("%s: %.0f bits a second, want about %.0f", row.name, r.rate, row.want)
		}
	}
}
