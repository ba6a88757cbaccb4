package server

import (
	"slices"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v3"
)

const (
	// A missing packet is asked for so often and so many times, within the time that reassembly waits.
	repairInterval = 40 * time.Millisecond
	repairAttempts = 16

	repairsAtOnce = 256 // packets asked for in one go; more is a line that is gone
)

// repairs asks for packets that are missing (RFC 4585, section 6.2.1). Pion's generator would do, if it saw
// what comes back by RTX (RFC 4588): it asks on for what is there already, and a line that loses gets more
// to carry. Owned by read.
type repairs struct {
	asked map[uint16]attempt // of those still missing
}

// attempt is how often and when a packet was asked for.
type attempt struct {
	times int
	last  time.Time
}

// due gives those of the missing packets that are to be asked for now.
func (r *repairs) due(missing []uint16, now time.Time) (ask []uint16) {
	if len(missing) == 0 {
		r.asked = nil
		return nil
	}
	still := make(map[uint16]attempt, len(missing))
	for _, seq := range missing[:min(len(missing), repairsAtOnce)] {
		a := r.asked[seq]
		if a.times < repairAttempts && now.Sub(a.last) >= repairInterval {
			a = attempt{a.times + 1, now}
			ask = append(ask, seq)
		}
		still[seq] = a
	}
	r.asked = still
	return ask
}

// repairable tells whether the publisher agreed to be asked.
func repairable(codec webrtc.RTPCodecParameters) bool {
	return slices.Contains(codec.RTCPFeedback, webrtc.RTCPFeedback{Type: webrtc.TypeRTCPFBNACK})
}

// askFor sends a NACK.
func (s *session) askFor(ssrc uint32, packets []uint16) {
	nack := &rtcp.TransportLayerNack{MediaSSRC: ssrc, Nacks: rtcp.NackPairsFromSequenceNumbers(packets)}
	if err := s.pc.WriteRTCP([]rtcp.Packet{nack}); err != nil {
		s.log.Debug("send NACK", "err", err)
		return
	}
	s.meters.Repairs.Add(float64(len(packets)))
}
