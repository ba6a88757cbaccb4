package server

import (
	"slices"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v3"
)

const (
	rembFirst    = 1.5e6 // bits a second: plenty for the sizes that cameras send
	rembLeast    = 150e3
	rembMost     = 2.5e6
	rembInterval = time.Second
)

// remb tells a publisher that measures nothing itself how much it may send (draft-alvestrand-rmcat-remb-03).
// Without a word some stay at what they begin with, which is too little to read a face by. The rate follows
// the loss, as in draft-ietf-rmcat-gcc-02, section 6. Owned by read.
type remb struct {
	rate           float64 // bits a second
	last           time.Time
	seq            uint16 // the newest
	received, sent int    // packets since last; sent is what the numbers tell
}

// due counts a packet, and gives the rate when it is time to tell it.
func (r *remb) due(seq uint16, now time.Time) (rate float64, ok bool) {
	if r.rate == 0 {
		r.rate, r.last, r.seq = rembFirst, now, seq
		return r.rate, true
	}
	r.received++
	if ahead := int16(seq - r.seq); ahead > 0 {
		r.sent += int(ahead)
		r.seq = seq
	}
	if now.Sub(r.last) < rembInterval || r.sent == 0 {
		return 0, false
	}
	switch lost := max(0, 1-float64(r.received)/float64(r.sent)); {
	case lost > 0.1:
		r.rate = max(rembLeast, r.rate*(1-lost/2))
	case lost < 0.02:
		r.rate = min(rembMost, r.rate*1.05)
	}
	r.last, r.received, r.sent = now, 0, 0
	return r.rate, true
}

// rates decides what a publisher is told of how much it may send. Owned by read.
type rates struct {
	takes  bool // such messages
	steady bool // goes by them all the time. One that is told of every packet (transport-wide congestion control) knows better
	loss   remb
	line   narrow
}

func newRates(codec webrtc.RTPCodecParameters) rates {
	takes := slices.Contains(codec.RTCPFeedback, webrtc.RTCPFeedback{Type: webrtc.TypeRTCPFBGoogREMB})
	return rates{takes: takes, steady: takes && !slices.Contains(codec.RTCPFeedback, webrtc.RTCPFeedback{Type: webrtc.TypeRTCPFBTransportCC})}
}

// due counts a packet, after which the line may be riddled, and gives the rate when it is time to tell one.
func (r *rates) due(p *rtp.Packet, riddled bool, now time.Time) (rate float64, ok bool) {
	r.line.arrived(p.MarshalSize(), now)
	rate, ok = r.loss.due(p.SequenceNumber, now)
	switch {
	case !r.takes:
		return 0, false
	case riddled:
		rate = r.line.limit(now)
		r.loss.rate = min(r.loss.rate, rate)
		return rate, true
	case r.steady:
		return rate, ok
	}
	return noLimit, r.line.over(now)
}

// tellRate sends a REMB message.
func (s *session) tellRate(ssrc uint32, rate float64) {
	message := &rtcp.ReceiverEstimatedMaximumBitrate{Bitrate: float32(rate), SSRCs: []uint32{ssrc}}
	if err := s.pc.WriteRTCP([]rtcp.Packet{message}); err != nil {
		s.log.Debug("send REMB", "err", err)
	}
}
