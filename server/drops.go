package server

import "sync/atomic"

// dropReason says why a frame got no labels: "dropped" of web/PROTOCOL.md.
type dropReason int

const (
	dropLost      dropReason = iota // packets were missing, of it or of what it builds on
	dropOverflow                    // the decoder could not keep up
	dropPaused                      // the page asked for a pause
	dropCorrupt                     // the decoder refused it, or what it builds on
	dropStale                       // a newer frame was there first
	dropCongested                   // the publisher's line is full of labels
	dropReasons
)

var dropNames = [dropReasons]string{"lost", "overflow", "paused", "corrupt", "stale", "congested"}

// drops counts frames without labels over a session's life. Safe for use by several goroutines.
type drops [dropReasons]atomic.Uint64

func (d *drops) add(r dropReason, n uint64) { d[r].Add(n) }

// byReason gives the counts that are not zero.
func (d *drops) byReason() map[string]uint64 {
	counts := make(map[string]uint64, len(d))
	for r := range d {
		if n := d[r].Load(); n > 0 {
			counts[dropNames[r]] = n
		}
	}
	return counts
}
