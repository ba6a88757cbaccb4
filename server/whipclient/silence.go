package whipclient

import "time"

const (
	leastPatience = 300 * time.Millisecond
	mostPatience  = 2 * time.Second
	intervals     = 6  // a busy server leaves a few labels out
	smoothing     = 10 // of the mean interval: a tenth is the newest's
)

// silence says how long labels that keep coming may stay away, by how often they came; as web/client/stall.js.
type silence struct {
	last     time.Time     // zero before the first
	interval time.Duration // the mean
}

func newSilence() silence { return silence{interval: leastPatience / intervals} }

// heard counts one. A silence counts, as the server may have become slower, but not all of it, as it may have been the line's.
func (s *silence) heard(now time.Time) {
	if !s.last.IsZero() {
		s.interval += (min(now.Sub(s.last), s.patience()) - s.interval) / smoothing
	}
	s.last = now
}

func (s *silence) patience() time.Duration {
	return min(max(intervals*s.interval, leastPatience), mostPatience)
}
