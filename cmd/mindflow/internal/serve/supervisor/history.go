package supervisor

import "time"

const (
	steady    = 10 * time.Second // a child that lived as long had started well
	mostQuick = 5                // failures sooner than that, one after the other, after which there is no other start
	firstWait = 500 * time.Millisecond
	lastWait  = 8 * time.Second
)

// saidWhy is the exit code of a program of ours that has said what is wrong. Where that is so at the start, such as a port
// that is in use, the next start would say the same.
const saidWhy = 1

// history is how the starts went so far.
type history struct {
	quick int // failures in a row that came soon after the start
}

// next says whether to start again after a child that lived for so long and ended with a code that is not 0, and when.
func (h *history) next(code int, lived time.Duration) (wait time.Duration, again bool) {
	if lived >= steady {
		h.quick = 0
		return firstWait, true
	}
	h.quick++
	if code == saidWhy || h.quick >= mostQuick {
		return 0, false
	}
	return min(firstWait<<(h.quick-1), lastWait), true
}
