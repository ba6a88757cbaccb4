package receive

import (
	"time"

	"github.com/pion/rtp"
)

const (
	estimateFirst    = 1.5e6 // bits a second: enough for the sizes that cameras send
	estimateLeast    = 150e3
	estimateMost     = 2.5e6
	estimateInterval = time.Second
)

// lossEstimate is the rate for a sender that has no congestion control of its own: without a REMB message some stay at
// their initial rate, which is too low to read a face. The rate follows the loss, as in draft-ietf-rmcat-gcc-02,
// section 6.
type lossEstimate struct {
	rate           float64 // bits a second
	last           time.Time
	seq            uint16 // the newest
	received, sent int    // packets since last; sent is computed from sequence numbers
}

// due counts a packet. It returns the rate when a message with it is due.
func (e *lossEstimate) due(seq uint16, now time.Time) (rate float64, ok bool) {
	if e.rate == 0 {
		e.rate, e.last, e.seq = estimateFirst, now, seq
		return e.rate, true
	}
	e.received++
	if ahead := int16(seq - e.seq); ahead > 0 {
		e.sent += int(ahead)
		e.seq = seq
	}
	if now.Sub(e.last) < estimateInterval || e.sent == 0 {
		return 0, false
	}
	switch lost := max(0, 1-float64(e.received)/float64(e.sent)); {
	case lost > 0.1:
		e.rate = max(estimateLeast, e.rate*(1-lost/2))
	case lost < 0.02:
		e.rate = min(estimateMost, e.rate*1.05)
	}
	e.last, e.received, e.sent = now, 0, 0
	return e.rate, true
}

// bandwidth decides when the sender is sent a rate by REMB (draft-alvestrand-rmcat-remb-03). It is owned by Run's
// goroutine.
type bandwidth struct {
	enabled    bool // the sender takes REMB
	continuous bool // it has no transport-wide congestion control, which would know better
	loss       lossEstimate
	cap        rateCap
}

func newBandwidth(f Feedback) bandwidth {
	return bandwidth{enabled: f.REMB, continuous: f.REMB && !f.TransportCC}
}

// due counts a packet, with which heavy loss may have begun. It returns the rate when a message with it is due.
func (b *bandwidth) due(p *rtp.Packet, heavyLoss bool, now time.Time) (rate float64, ok bool) {
	b.cap.received(p.MarshalSize(), now)
	rate, ok = b.loss.due(p.SequenceNumber, now)
	switch {
	case !b.enabled:
		return 0, false
	case heavyLoss:
		rate = b.cap.start(now)
		b.loss.rate = min(b.loss.rate, rate)
		return rate, true
	case b.continuous:
		return rate, ok
	}
	return uncapped, b.cap.expired(now)
}
