package pipeline

import "time"

// Clock computes when the frames of a stream were taken, from their RTP timestamps, which network jitter and load do
// not change. The zero Clock is ready to use.
type Clock struct {
	running bool
	rtp     uint32    // of the latest frame
	taken   time.Time // likewise
}

const (
	rtpRate = 90_000 // ticks a second (RFC 3551, section 5)

	// maxLead is the largest drift of a sender's clock from ours. A clock that jumps further is restarted.
	maxLead = 2 * time.Second
)

// At returns when a frame was taken, on the scale of arrived.
func (c *Clock) At(rtp uint32, arrived time.Time) time.Time {
	at := arrived
	if c.running {
		since := time.Duration(int32(rtp-c.rtp)) * time.Second / rtpRate // frames may come out of order
		if taken := c.taken.Add(since); taken.Sub(arrived).Abs() < maxLead {
			at = taken
		}
	}
	c.running, c.rtp, c.taken = true, rtp, at
	return at
}
