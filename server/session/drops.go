package session

import "sync/atomic"

// dropReason is why a frame got no labels: "dropped" of web/PROTOCOL.md.
type dropReason int

const (
	dropLost      dropReason = iota // packets are missing, of the frame or of what it builds on
	dropOverflow                    // the decoder could not keep up
	dropPaused                      // the page asked for a pause
	dropCorrupt                     // the decoder refused the frame, or what it builds on
	dropStale                       // a newer frame came before the frame got a slot
	dropCongested                   // labels wait in the data channel
	dropReasons
)

var dropNames = [dropReasons]string{"lost", "overflow", "paused", "corrupt", "stale", "congested"}

// drops counts frames without labels over a session's life. It is safe for use by several goroutines.
type drops [dropReasons]atomic.Uint64

// byReason returns the counts that are not zero.
func (d *drops) byReason() map[string]uint64 {
	counts := make(map[string]uint64, len(d))
	for r := range d {
		if n := d[r].Load(); n > 0 {
			counts[dropNames[r]] = n
		}
	}
	return counts
}

// drop counts frames without labels, of the session and of all.
func (s *Session) drop(r dropReason, n uint64) {
	if n == 0 {
		return
	}
	s.dropped[r].Add(n)
	s.meters.dropped[r].Add(float64(n))
}
