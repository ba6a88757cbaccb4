package server

import (
	"slices"
	"testing"
	"time"

	"mindflow/pipeline"
	"mindflow/pipeline/avdec"
	"mindflow/pipeline/testkit"
	"mindflow/server/receive"
	"mindflow/server/whipclient"
)

// writeAt sends a unit at a place of its own in time.
func (p publisher) writeAt(u pipeline.Unit, frame int) uint32 {
	p.t.Helper()
	u.RTP = uint32(frame) * 3000
	if err := p.WriteUnit(u); err != nil {
		p.t.Fatal(err)
	}
	return u.RTP
}

// keyframe waits until the server asks for a key frame, and sends it. Meanwhile units flow that are
// none.
func (p publisher) keyframe(units []pipeline.Unit, frame int) (timestamp uint32) {
	p.t.Helper()
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		select {
		case <-p.KeyframeRequests():
			return p.writeAt(units[0], frame)
		case <-time.After(20 * time.Millisecond):
			p.writeAt(units[1+frame%20], frame)
			frame++
		}
	}
	p.t.Fatalf("waited %s to be asked for a key frame", patience)
	return 0
}

func TestCorruptUnit(t *testing.T) {
	units := testkit.TestSource(t, pipeline.VP8, 320, 240, 30)
	s := begin(t, decoding(oneFace{}), nil)
	p := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
	p.writeAt(units[0], 0)
	p.label("labels", first)
	broken := units[0]
	broken.Data = slices.Clone(broken.Data)
	copy(broken.Data[3:6], "xyz") // the start code of a key frame: RFC 6386, section 9.1
	p.writeAt(broken, 1)
	timestamp := p.keyframe(units, 2)
	m := p.label("labels after the key frame", func(m pipeline.Message) bool { return m.RTP == timestamp })
	if m.Dropped["corrupt"] == 0 || m.Dropped["lost"] > 0 {
		t.Errorf("dropped is %v", m.Dropped)
	}
}

// slowDecoder is the real one, held up.
type slowDecoder struct {
	pipeline.Decoder
	hold chan struct{} // Decode waits until it is closed
}

func (d slowDecoder) Decode(u pipeline.Unit, emit func(*pipeline.Frame)) error {
	<-d.hold
	return d.Decoder.Decode(u, emit)
}

func TestSlowDecoder(t *testing.T) {
	units := testkit.TestSource(t, pipeline.VP8, 160, 120, 30)
	hold := make(chan struct{})
	e := decoding(oneFace{})
	e.OpenDecoder = func(c pipeline.Codec) (pipeline.Decoder, error) {
		d, err := avdec.Open(c, avdec.DefaultMaxPixels)
		return slowDecoder{d, hold}, err
	}
	s := begin(t, e, nil)
	p := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
	p.writeAt(units[0], 0)
	timestamp := p.keyframe(units, 1) // asked for because the queue was emptied
	close(hold)
	m := p.label("labels of the key frame", func(m pipeline.Message) bool { return m.RTP == timestamp })
	if m.Dropped["overflow"] < unitQueue || m.Dropped["lost"] > 0 {
		t.Errorf("dropped is %v", m.Dropped)
	}
}

func TestTwoKeyframeRequestsASecond(t *testing.T) {
	units := testkit.TestSource(t, pipeline.VP8, 160, 120, 30)
	s := begin(t, decoding(oneFace{}), nil)
	p := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
	began := time.Now()
	asked := 0
	for frame := 0; asked < 3; frame++ { // no unit is a key unit
		p.writeAt(units[1+frame%20], frame)
		select {
		case <-p.KeyframeRequests():
			asked++
		case <-time.After(10 * time.Millisecond):
		}
		if time.Since(began) > patience {
			t.Fatalf("asked %d times in %s", asked, patience)
		}
	}
	if took := time.Since(began); took < 2*receive.KeyframeInterval {
		t.Errorf("asked 3 times in %s", took)
	}
}
