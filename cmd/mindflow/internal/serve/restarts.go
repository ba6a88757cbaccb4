package serve

import "time"

const (
	minUptime        = 10 * time.Second // of a child that has started well
	maxQuickFailures = 5                // in a row, sooner than that
	minBackoff       = 500 * time.Millisecond
	maxBackoff       = 8 * time.Second
)

// exitExplained is the exit code of a program of ours that has printed what is wrong. At the start, as with a port that
// is in use, the next start would fail likewise.
const exitExplained = 1

// restarts counts the failures of a child so far.
type restarts struct {
	quick int // failures in a row that came soon after the start
}

// next returns whether and when to restart a child that lived for so long and ended with a code other than 0.
func (h *restarts) next(code int, lived time.Duration) (wait time.Duration, again bool) {
	if lived >= minUptime {
		h.quick = 0
		return minBackoff, true
	}
	h.quick++
	if code == exitExplained || h.quick >= maxQuickFailures {
		return 0, false
	}
	return min(minBackoff<<(h.quick-1), maxBackoff), true
}
