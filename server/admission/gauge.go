package admission

import (
	"math"
	"time"
)

const (
	slots  = 4               // of a gauge's memory
	window = 4 * time.Second // it looks back so far
	least  = 8               // frames within it, below which it says nothing …
	enough = time.Second     // … unless they took so long together: on a machine that is far too busy few come through
)

// Gauge measures how busy the machine is by the time that sessions take for a frame, from when it is there until its labels are: with all
// that it waits for, on the processor or the GPU. That a camera sends few frames, or a line loses them, does not count.
// Its zero value is ready. It is not safe for use by several goroutines.
type Gauge struct {
	slot [slots]struct {
		from   time.Time
		took   time.Duration
		frames int
	}
}

// Add notes that a frame took so long.
func (g *Gauge) Add(took time.Duration, now time.Time) {
	from := now.Truncate(window / slots)
	s := &g.slot[from.UnixNano()/int64(window/slots)%slots]
	if !s.from.Equal(from) {
		s.from, s.took, s.frames = from, 0, 0
	}
	s.took += took
	s.frames++
}

// Rate is how many labels a second a session could get that always has a frame, by the frames of the last seconds; +Inf when there
// were hardly any.
func (g *Gauge) Rate(now time.Time) float64 {
	var took time.Duration
	frames := 0
	for _, s := range g.slot {
		if now.Sub(s.from) < window {
			took += s.took
			frames += s.frames
		}
	}
	if took <= 0 || frames < least && took < enough {
		return math.Inf(1)
	}
	return float64(frames) / took.Seconds()
}

// Load says what a rate means for newcomers, where sessions are to get so many labels a second; with 0 they need none.
func (g *Gauge) Load(wanted float64, now time.Time) Load {
	switch rate := g.Rate(now); {
	case wanted <= 0 || rate >= 2*wanted:
		return Idle
	case rate >= wanted:
		return Busy
	}
	return Over
}
