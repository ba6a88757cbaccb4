package server

import (
	"math"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v3"
)

// The limit goes by what came in the last quarter of a second, and is lifted once.
func TestNarrow(t *testing.T) {
	now := time.Unix(1000, 0)
	var n narrow
	come := func(d time.Duration, rate float64) {
		for end := now.Add(d); now.Before(end); now = now.Add(5 * time.Millisecond) {
			n.arrived(int(rate/8*0.005), now)
		}
	}
	come(time.Second, 1.2e6)
	come(300*time.Millisecond, 300e3)
	if limit := n.limit(now); math.Abs(limit-narrowShare*300e3) > 20e3 {
		t.Errorf("limit %.0f bits a second after 300 ms at 300,000", limit)
	}
	if n.over(now.Add(narrowTime-1)) || !n.over(now.Add(narrowTime)) || n.over(now.Add(2*narrowTime)) {
		t.Error("the limit is not lifted once, after its time")
	}
	now = now.Add(time.Minute)
	n.arrived(100, now)
	if limit := n.limit(now); limit != narrowLeast {
		t.Errorf("limit %.0f bits a second after a silence, want %.0f", limit, narrowLeast)
	}
	n.arrived(100, now.Add(-time.Hour)) // a clock that is set back breaks nothing
}

func TestRates(t *testing.T) {
	now := time.Unix(1000, 0)
	packet := &rtp.Packet{Payload: make([]byte, 988)} // of 1,000 bytes
	for name, row := range map[string]struct {
		feedback []string
		at       map[int]float64 // what is told, by ms; -1 is anything
	}{
		"none":         {nil, nil},
		"told of all":  {[]string{webrtc.TypeRTCPFBGoogREMB, webrtc.TypeRTCPFBTransportCC}, map[int]float64{1500: -1, 3500: noLimit}},
		"told a rate":  {[]string{webrtc.TypeRTCPFBGoogREMB}, map[int]float64{0: rembFirst, 1000: -1, 1500: -1, 2000: -1, 3000: -1, 4000: -1}},
		"nothing else": {[]string{webrtc.TypeRTCPFBTransportCC}, nil},
	} {
		var codec webrtc.RTPCodecParameters
		for _, f := range row.feedback {
			codec.RTCPFeedback = append(codec.RTCPFeedback, webrtc.RTCPFeedback{Type: f})
		}
		r := newRates(codec)
		for ms := 0; ms < 5000; ms += 25 { // 320,000 bits a second
			packet.SequenceNumber++
			rate, told := r.due(packet, ms == 1500, now.Add(time.Duration(ms)*time.Millisecond))
			if want, wanted := row.at[ms]; told != wanted || told && want >= 0 && rate != want {
				t.Errorf("%s: after %d ms %.0f, %t; want %.0f, %t", name, ms, rate, told, want, wanted)
			}
			if told && ms == 1500 && math.Abs(rate-narrowShare*320e3) > 40e3 || told && ms > 1500 && r.steady && rate > 340e3 {
				t.Errorf("%s: %.0f after %d ms of a line of 320,000", name, rate, ms)
			}
		}
	}
}
