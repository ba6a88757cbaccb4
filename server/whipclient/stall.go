package whipclient

import "time"

const (
	leastPatience = 300 * time.Millisecond
	mostPatience  = 2 * time.Second
	intervals     = 6  // of labels: a busy server omits a few
	smoothing     = 10 // of the mean interval: the newest counts a tenth
)

// stall decides after which time without labels their channel counts as stalled, by how often they came, as
// web/client/stall.js does.
type stall struct {
	last     time.Time     // zero before the first
	interval time.Duration // the mean
}

func newStall() stall { return stall{interval: leastPatience / intervals} }

// heard counts a label. A long interval counts too, since the server may have become slower, but only up to the
// patience, since the network may have been the cause.
func (s *stall) heard(now time.Time) {
	if !s.last.IsZero() {
		s.interval += (min(now.Sub(s.last), s.patience()) - s.interval) / smoothing
	}
	s.last = now
}

func (s *stall) patience() time.Duration {
	return min(max(intervals*s.interval, leastPatience), mostPatience)
}
