package admission

import (
	"math"
	"sync"
	"time"
)

// Load reports how busy the machine is.
type Load int

// Loads, in order.
const (
	Idle       Load = iota // new sessions cost the open ones nothing
	Busy                   // new sessions are admitted one after the other
	Overloaded             // the open sessions get too little already
)

const (
	meterWindow  = 4 * time.Second
	meterBuckets = 4           // of the window
	minFrames    = 8           // in the window; fewer are no measurement …
	minSpent     = time.Second // … unless they took this long together: few frames get through an overloaded machine
)

// LoadMeter measures how busy the machine is by the time that sessions take for a frame, from its arrival to its
// labels. That includes all waiting for the processor or the GPU, but neither a camera's low frame rate nor packet
// loss. It is safe for concurrent use.
type LoadMeter struct {
	minRate float64

	mu      sync.Mutex
	buckets [meterBuckets]struct {
		from   time.Time
		spent  time.Duration
		frames int
	} // guarded by mu
}

// NewLoadMeter returns a meter for sessions that need minRate labels a second. Zero means that the load is always Idle.
func NewLoadMeter(minRate float64) *LoadMeter { return &LoadMeter{minRate: minRate} }

// Add records the time that a frame took.
func (m *LoadMeter) Add(spent time.Duration, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	const length = meterWindow / meterBuckets
	from := now.Truncate(length)
	b := &m.buckets[from.UnixNano()/int64(length)%meterBuckets]
	if !b.from.Equal(from) {
		b.from, b.spent, b.frames = from, 0, 0
	}
	b.spent += spent
	b.frames++
}

// Rate returns the labels a second that a session with a frame always ready would get, by the frames of the window. It
// is +Inf after too few frames.
func (m *LoadMeter) Rate(now time.Time) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	var spent time.Duration
	frames := 0
	for _, b := range m.buckets {
		if now.Sub(b.from) < meterWindow {
			spent += b.spent
			frames += b.frames
		}
	}
	if spent <= 0 || frames < minFrames && spent < minSpent {
		return math.Inf(1)
	}
	return float64(frames) / spent.Seconds()
}

// Load compares the rate with the rate that sessions need.
func (m *LoadMeter) Load(now time.Time) Load {
	switch rate := m.Rate(now); {
	case m.minRate <= 0 || rate >= 2*m.minRate:
		return Idle
	case rate >= m.minRate:
		return Busy
	}
	return Overloaded
}
