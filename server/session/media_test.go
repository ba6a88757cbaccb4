package session

import (
	"slices"
	"testing"
	"time"

	"mindflow/pipeline"
	"mindflow/pipeline/avdec"
	"mindflow/pipeline/testkit"
	"mindflow/server/receive"
	"mindflow/server/servertest"
	"mindflow/server/whipclient"
)

func TestCorruptUnit(t *testing.T) {
	units := testkit.TestSource(t, pipeline.VP8, 320, 240, 30)
	s := begin(t, decoding(servertest.OneFace{}), nil)
	p := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
	p.WriteAt(units[0], 0)
	p.Label("labels", servertest.Any)
	broken := units[0]
	broken.Data = slices.Clone(broken.Data)
	copy(broken.Data[3:6], "xyz") // the start code of a key frame: RFC 6386, section 9.1
	p.WriteAt(broken, 1)
	timestamp := p.Keyframe(units, 2)
	m := p.Label("labels after the key frame", func(m pipeline.Message) bool { return m.RTP == timestamp })
	if m.Dropped["corrupt"] == 0 || m.Dropped["lost"] > 0 {
		t.Errorf("dropped is %v", m.Dropped)
	}
}

func TestSlowDecoder(t *testing.T) {
	units := testkit.TestSource(t, pipeline.VP8, 160, 120, 30)
	hold := make(chan struct{})
	e := decoding(servertest.OneFace{})
	e.OpenDecoder = func(c pipeline.Codec) (pipeline.Decoder, error) {
		d, err := avdec.Open(c, avdec.DefaultMaxPixels)
		return servertest.SlowDecoder{Decoder: d, Hold: hold}, err
	}
	s := begin(t, e, nil)
	p := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
	p.WriteAt(units[0], 0)
	timestamp := p.Keyframe(units, 1) // asked for because the queue was emptied
	close(hold)
	m := p.Label("labels of the key frame", func(m pipeline.Message) bool { return m.RTP == timestamp })
	if m.Dropped["overflow"] < unitQueue || m.Dropped["lost"] > 0 {
		t.Errorf("dropped is %v", m.Dropped)
	}
}

func TestTwoKeyframeRequestsASecond(t *testing.T) {
	units := testkit.TestSource(t, pipeline.VP8, 160, 120, 30)
	s := begin(t, decoding(servertest.OneFace{}), nil)
	p := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
	began := time.Now()
	asked := 0
	for frame := 0; asked < 3; frame++ { // no unit is a key unit
		p.WriteAt(units[1+frame%20], frame)
		select {
		case <-p.KeyframeRequests():
			asked++
		case <-time.After(10 * time.Millisecond):
		}
		if time.Since(began) > servertest.Patience {
			t.Fatalf("asked %d times in %s", asked, servertest.Patience)
		}
	}
	if took := time.Since(began); took < 2*receive.KeyframeInterval {
		t.Errorf("asked 3 times in %s", took)
	}
}
