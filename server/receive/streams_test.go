package receive

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"

	"mindflow/pipeline"
	"mindflow/pipeline/testkit"
)

var allCodecs = []pipeline.Codec{pipeline.VP8, pipeline.VP9, pipeline.H264, pipeline.AV1}

// packetize makes packets as a Pion sender does.
func packetize(t testing.TB, codec pipeline.Codec, units []pipeline.Unit) []*rtp.Packet {
	t.Helper()
	payloader := map[pipeline.Codec]rtp.Payloader{
		pipeline.VP8: &codecs.VP8Payloader{EnablePictureID: true}, pipeline.VP9: &codecs.VP9Payloader{},
		pipeline.H264: &codecs.H264Payloader{}, pipeline.AV1: &codecs.AV1Payloader{},
	}[codec]
	var packets []*rtp.Packet
	seq := uint16(65500)
	for _, u := range units {
		payloads := payloader.Payload(1200, u.Data)
		for i, payload := range payloads {
			packets = append(packets, &rtp.Packet{
				Header:  rtp.Header{Version: 2, SequenceNumber: seq, Timestamp: u.RTP, Marker: i == len(payloads)-1},
				Payload: payload,
			})
			seq++
		}
	}
	return packets
}

// expected is a unit as it arrives: H264 with start codes of four bytes, AV1 without the temporal
// delimiter (an OBU of two bytes).
func expected(codec pipeline.Codec, data []byte) []byte {
	switch codec {
	case pipeline.H264:
		data = bytes.ReplaceAll(data, []byte{0, 0, 0, 1}, []byte{0, 0, 1})
		return bytes.ReplaceAll(data, []byte{0, 0, 1}, []byte{0, 0, 0, 1})
	case pipeline.AV1:
		return bytes.TrimPrefix(data, []byte{0x12, 0})
	}
	return data
}

func TestRealStreams(t *testing.T) {
	for _, codec := range allCodecs {
		t.Run(string(codec), func(t *testing.T) {
			sent := testkit.TestSource(t, codec, 640, 480, 65)
			a, err := newAssembler(codec, limits{})
			if err != nil {
				t.Fatal(err)
			}
			packets := packetize(t, codec, sent)
			for i := 1; i+1 < len(packets); i += 7 { // the network swaps some
				packets[i], packets[i+1] = packets[i+1], packets[i]
			}
			var got []pipeline.Unit
			for _, p := range packets {
				a.push(p, epoch, func(u pipeline.Unit) { got = append(got, u) })
			}
			if len(got) != len(sent) {
				t.Fatalf("%d units of %d came, stats %+v", len(got), len(sent), a.stats)
			}
			for i, u := range got {
				if !bytes.Equal(u.Data, expected(codec, sent[i].Data)) || u.RTP != sent[i].RTP || u.Key != sent[i].Key {
					t.Fatalf("unit %d differs: %d bytes of %d, RTP %d of %d, key %t of %t",
						i, len(u.Data), len(sent[i].Data), u.RTP, sent[i].RTP, u.Key, sent[i].Key)
				}
			}
		})
	}
}

// Whatever is lost, doubled or late: a unit that comes is one that was sent, and is a key unit or follows
// the one before it.
func TestRealStreamsOverABadLine(t *testing.T) {
	for _, codec := range allCodecs {
		t.Run(string(codec), func(t *testing.T) {
			sent := testkit.TestSource(t, codec, 320, 240, 150)
			packets := packetize(t, codec, sent)
			for seed := range uint64(20) {
				a, err := newAssembler(codec, limits{Wait: 50 * time.Millisecond})
				if err != nil {
					t.Fatal(err)
				}
				came := 0
				last := -1
				for i, p := range badLine(packets, rand.New(rand.NewPCG(seed, 1))) {
					now := epoch.Add(time.Duration(i) * 5 * time.Millisecond)
					a.push(p, now, func(u pipeline.Unit) {
						n := int(u.RTP) * 30 / testkit.Clock
						if !bytes.Equal(u.Data, expected(codec, sent[n].Data)) || u.Key != sent[n].Key {
							t.Fatalf("seed %d: unit %d differs", seed, n)
						}
						if !u.Key && n != last+1 {
							t.Fatalf("seed %d: unit %d follows unit %d", seed, n, last)
						}
						last = n
						came++
					})
				}
				if came == 0 || came == len(sent) || a.stats.Lost == 0 {
					t.Errorf("seed %d: %d units came, stats %+v", seed, came, a.stats)
				}
			}
		})
	}
}

// badLine loses, doubles and delays packets.
func badLine(packets []*rtp.Packet, random *rand.Rand) []*rtp.Packet {
	type late struct {
		packet *rtp.Packet
		at     int
	}
	var line []late
	for i, p := range packets {
		switch random.IntN(60) {
		case 0:
		case 1:
			line = append(line, late{p, i}, late{p, i + random.IntN(30)})
		case 2, 3:
			line = append(line, late{p, i + random.IntN(30)})
		default:
			line = append(line, late{p, i})
		}
	}
	slices.SortStableFunc(line, func(a, b late) int { return a.at - b.at })
	var came []*rtp.Packet
	for _, l := range line {
		came = append(came, l.packet)
	}
	return came
}

func BenchmarkPush640x480(b *testing.B) {
	for _, codec := range []pipeline.Codec{pipeline.VP8, pipeline.H264} {
		b.Run(string(codec), func(b *testing.B) {
			packets := packetize(b, codec, testkit.TestSource(b, codec, 640, 480, 60))
			a, err := newAssembler(codec, limits{})
			if err != nil {
				b.Fatal(err)
			}
			units := 0
			emit := func(pipeline.Unit) { units++ }
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				p := *packets[i%len(packets)]
				p.SequenceNumber = uint16(i)
				a.push(&p, epoch, emit)
			}
			b.ReportMetric(float64(units)/float64(b.N), "units/op")
		})
	}
}
