package pipeline

import "time"

// Clock tells when the frames of a stream were taken, from their RTP timestamps: the time between two of
// them is the sender's, whatever the network and a busy machine made of it. The zero Clock is ready.
type Clock struct {
	running bool
	rtp     uint32    // of the latest frame
	taken   time.Time // likewise
}

const (
	rtpRate = 90_000 // ticks a second (RFC 3551, section 5)

	// maxLead is how far a sender's clock may run off. One that jumps or lies starts anew.
	maxLead = 2 * time.Second
)

// At gives the time of a frame, on the scale of arrived.
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
