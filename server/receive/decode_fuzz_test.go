package receive

import (
	"testing"
	"time"

	"github.com/pion/rtp"

	"mindflow/pipeline"
	"mindflow/pipeline/avdec"
	"mindflow/pipeline/testkit"
)

// FuzzDecode sends packets of a real stream, damaged as a script says, to the real decoder, as a
// session does. Whatever came before, the stream sent once more is decoded.
func FuzzDecode(f *testing.F) {
	const w, h, limit = 64, 48, 256 * 256
	streams := make([][]*rtp.Packet, len(allCodecs))
	for i, codec := range allCodecs {
		streams[i] = packetize(f, codec, testkit.TestSource(f, codec, w, h, 6))
		f.Add(uint8(i), []byte{})
		for what := range byte(16) { // a change of each kind, in the key unit and after it
			f.Add(uint8(i), []byte{what, 0, 0, 13, 0x55, 9, what, 3, 0, 14, 0xff, 1})
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, script []byte) {
		i := int(which) % len(allCodecs)
		a, err := newAssembler(allCodecs[i], limits{Wait: 50 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		d, err := avdec.Open(allCodecs[i], limit)
		if err != nil {
			t.Fatal(err)
		}
		frames, now := 0, epoch
		send := func(p *rtp.Packet) {
			now = now.Add(10 * time.Millisecond)
			a.push(p, now, func(u pipeline.Unit) {
				// An error is as good an answer as a frame.
				_ = d.Decode(u, func(frame *pipeline.Frame) {
					if frame.Width*frame.Height > limit {
						t.Errorf("a frame of %dx%d passed the limit", frame.Width, frame.Height)
					}
					var whole pipeline.Frame
					whole.CopyFrom(frame) // reads every byte of it
					frames++
				})
			})
		}
		for _, raw := range testkit.Damage(marshal(t, streams[i]), script) {
			p := &rtp.Packet{}
			if p.Unmarshal(raw) == nil {
				send(p)
			}
		}
		frames = 0
		resend(streams[i], a.next+farBehind, send)
		if frames == 0 {
			t.Errorf("the stream is not decoded any more; stats %+v", a.stats)
		}
		if err := d.Close(); err != nil || avdec.Live() != 0 {
			t.Errorf("close: %v; %d decoders live", err, avdec.Live())
		}
	})
}

func marshal(t testing.TB, packets []*rtp.Packet) (raw [][]byte) {
	for _, p := range packets {
		data, err := p.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		raw = append(raw, data)
	}
	return raw
}

// resend sends the stream again, twice, as one that goes on at seq.
func resend(packets []*rtp.Packet, seq uint16, send func(*rtp.Packet)) {
	for round := range uint32(2) {
		for _, p := range packets {
			again := *p
			again.SequenceNumber, again.Timestamp = seq, p.Timestamp+(round+1)<<20
			send(&again)
			seq++
		}
	}
}
