package receive

import "time"

// Where more than mostMissing of the newest window packets are not there, a multiple is sent of what the line carries. A sender repeats packets
// before it sends newer ones: a key frame is there sooner, and comes whole only where nothing is repeated beside it.
const (
	window      = 24
	mostMissing = 12
	overtaking  = 60 * time.Millisecond // by so much packets are late because others overtook them
)

// wait is how long a missing packet is waited for now.
func (a *Assembler) wait() time.Duration {
	if a.heard.Before(a.resume) {
		return min(overtaking, a.opts.Wait)
	}
	return a.opts.Wait
}

// Missing appends the sequence numbers that are to be asked for, lowest first.
func (a *Assembler) Missing(dst []uint16) []uint16 {
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

// riddled says whether most of the newest packets are missing.
func (a *Assembler) riddled() bool {
	if len(a.waiting) == 0 {
		return false
	}
	missing := 0
	for seq, i := a.newest, 0; seq != a.next-1 && i < window; seq, i = seq-1, i+1 {
		if _, ok := a.waiting[seq]; !ok {
			missing++
		}
	}
	return missing > mostMissing
}
