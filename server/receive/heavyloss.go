package receive

import "time"

// Heavy loss is when more than lossLimit of the newest lossWindow packets are missing: the sender sends a multiple of
// what the line carries. A sender repeats packets before it sends newer ones, so a key frame arrives sooner, and whole,
// only if nothing is requested beside it.
const (
	lossWindow = 24
	lossLimit  = 12
	reordering = 60 * time.Millisecond // how late a packet is that others have overtaken
)

// wait returns how long a missing packet is waited for now.
func (a *assembler) wait() time.Duration {
	if a.heard.Before(a.resume) {
		return min(reordering, a.opts.Wait)
	}
	return a.opts.Wait
}

// missing appends the sequence numbers of the packets to request, lowest first.
func (a *assembler) missing(dst []uint16) []uint16 {
	if a.heard.Before(a.resume) {
		return dst
	}
	for seq, left := a.next, len(a.waiting); left > 0; seq++ {
		if _, ok := a.waiting[seq]; ok {
			left--
		} else {
			dst = append(dst, seq)
		}
	}
	return dst
}

// inHeavyLoss reports whether most of the newest packets are missing.
func (a *assembler) inHeavyLoss() bool {
	if len(a.waiting) == 0 {
		return false
	}
	missing := 0
	for seq, i := a.newest, 0; seq != a.next-1 && i < lossWindow; seq, i = seq-1, i+1 {
		if _, ok := a.waiting[seq]; !ok {
			missing++
		}
	}
	return missing > lossLimit
}
