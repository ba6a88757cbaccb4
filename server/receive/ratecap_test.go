package receive

import (
	"math"
	"testing"
	"time"

	"github.com/pion/rtp"
)

// The limit goes by what came in the last quarter of a second, and is lifted once.
func TestRateCap(t *testing.T) {
	now := time.Unix(1000, 0)
	var c rateCap
	come := func(d time.Duration, rate float64) {
		for end := now.Add(d); now.Before(end); now = now.Add(5 * time.Millisecond) {
			c.received(int(rate/8*0.005), now)
		}
	}
	come(time.Second, 1.2e6)
	come(300*time.Millisecond, 300e3)
	if rate := c.start(now); math.Abs(rate-capShare*300e3) > 20e3 {
		t.Errorf("cap %.0f bits a second after 300 ms at 300,000", rate)
	}
	if c.expired(now.Add(capTime-1)) || !c.expired(now.Add(capTime)) || c.expired(now.Add(2*capTime)) {
		t.Error("the limit is not lifted once, after its time")
	}
	now = now.Add(time.Minute)
	c.received(100, now)
	if rate := c.start(now); rate != capLeast {
		t.Errorf("cap %.0f bits a second after a silence, want %.0f", rate, capLeast)
	}
	c.received(100, now.Add(-time.Hour)) // a clock that is set back breaks nothing
}

func TestBandwidth(t *testing.T) {
	now := time.Unix(1000, 0)
	packet := &rtp.Packet{Payload: make([]byte, 988)} // of 1,000 bytes
	for name, row := range map[string]struct {
		feedback Feedback
		at       map[int]float64 // the cap that is sent, by ms; -1 is anything
	}{
		"none":        {Feedback{}, nil},
		"told of all": {Feedback{REMB: true, TransportCC: true}, map[int]float64{1500: -1, 3500: uncapped}},
		"told a rate": {Feedback{REMB: true}, map[int]float64{0: estimateFirst, 1000: -1, 1500: -1, 2000: -1, 3000: -1,
			4000: -1}},
		"nothing else": {Feedback{TransportCC: true}, nil},
	} {
		b := newBandwidth(row.feedback)
		for ms := 0; ms < 5000; ms += 25 { // 320,000 bits a second
			packet.SequenceNumber++
			rate, told := b.due(packet, ms == 1500, now.Add(time.Duration(ms)*time.Millisecond))
			if want, wanted := row.at[ms]; told != wanted || told && want >= 0 && rate != want {
				t.Errorf("%s: after %d ms %.0f, %t; want %.0f, %t", name, ms, rate, told, want, wanted)
			}
			if told && ms == 1500 && math.Abs(rate-capShare*320e3) > 40e3 ||
				told && ms > 1500 && b.continuous && rate > 340e3 {
				t.Errorf("%s: %.0f after %d ms of a line of 320,000", name, rate, ms)
			}
		}
	}
}
