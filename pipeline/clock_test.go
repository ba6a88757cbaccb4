package pipeline

import (
	"math"
	"testing"
	"time"
)

func TestClock(t *testing.T) {
	const frame = rtpRate / 30
	begin := time.Unix(1000, 0)
	ms := func(n float64) time.Time { return begin.Add(time.Duration(n * float64(time.Millisecond))) }
	type step struct {
		rtp     uint32
		arrived time.Time
		want    time.Time
	}
	cases := map[string][]step{
		"jitter does not count": {
			{0, ms(0), ms(0)}, {frame, ms(90), ms(1000. / 30)}, {2 * frame, ms(91), ms(2000. / 30)},
			{3 * frame, ms(100), ms(100)},
		},
		"timestamps wrap around": {
			{math.MaxUint32 - 899, ms(0), ms(0)}, {0, ms(10), ms(10)}, {900, ms(20), ms(20)},
		},
		"frames out of order": {
			{2 * rtpRate, ms(0), ms(0)}, {2*rtpRate - 9000, ms(50), ms(-100)}, {2*rtpRate + 9000, ms(100), ms(100)},
		},
		"a jump starts anew": {
			{0, ms(0), ms(0)}, {10 * rtpRate, ms(33), ms(33)}, {10*rtpRate + 9000, ms(150), ms(133)},
		},
		"a stopped clock starts anew": {
			{7, ms(0), ms(0)}, {7, ms(1900), ms(0)}, {7, ms(2100), ms(2100)},
		},
		"a pause is a pause": {
			{0, ms(0), ms(0)}, {3600 * rtpRate, begin.Add(time.Hour), begin.Add(time.Hour)},
		},
	}
	for name, steps := range cases {
		t.Run(name, func(t *testing.T) {
			var c Clock
			for i, s := range steps {
				if got := c.At(s.rtp, s.arrived); got.Sub(s.want).Abs() > time.Microsecond {
					t.Errorf("frame %d: %v, want %v", i, got.Sub(begin), s.want.Sub(begin))
				}
			}
		})
	}
}
