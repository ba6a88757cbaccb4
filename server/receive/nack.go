package receive

import "time"

const (
	nackInterval = 40 * time.Millisecond // between two requests for one packet
	nackAttempts = 16                    // for one packet: together they last about as long as the assembler waits
	nackMost     = 256                   // packets in one request; a line that misses more has failed
)

// nacks decides which missing packets are requested (generic NACK, RFC 4585, section 6.2.1). Pion's generator does not
// see packets that come back by RTX (RFC 4588): it requests them again, and a line that loses packets then carries
// more. It is owned by Run's goroutine.
type nacks struct {
	requested map[uint16]attempt // the packets that are still missing
}

// attempt is how often and when a packet was requested.
type attempt struct {
	times int
	last  time.Time
}

// due returns those of the missing packets that are to be requested now.
func (n *nacks) due(missing []uint16, now time.Time) (request []uint16) {
	if len(missing) == 0 {
		n.requested = nil
		return nil
	}
	still := make(map[uint16]attempt, len(missing))
	for _, seq := range missing[:min(len(missing), nackMost)] {
		a := n.requested[seq]
		if a.times < nackAttempts && now.Sub(a.last) >= nackInterval {
			a = attempt{a.times + 1, now}
			request = append(request, seq)
		}
		still[seq] = a
	}
	n.requested = still
	return request
}
