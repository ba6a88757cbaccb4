package receive

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/pion/rtp"

	"mindflow/pipeline"
	"mindflow/pipeline/testkit"
)

// FuzzPush reads packets from bytes: size, sequence number and marker, timestamp, payload, and so on.
func FuzzPush(f *testing.F) {
	for i, codec := range allCodecs {
		var seed []byte
		for _, p := range packetize(f, codec, testkit.TestSource(f, codec, 64, 48, 3)) {
			seed = appendPacket(seed, p)
		}
		f.Add(uint8(i), seed)
	}
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		opts := limits{Packets: 32, Bytes: 20_000, UnitBytes: 50_000}
		a, err := newAssembler(allCodecs[int(which)%len(allCodecs)], opts)
		if err != nil {
			t.Fatal(err)
		}
		first := true
		for ms := 0; len(data) >= 9; ms += 10 {
			size := min(int(binary.BigEndian.Uint16(data)), len(data)-9)
			p := &rtp.Packet{Payload: data[9 : 9+size]}
			p.SequenceNumber = binary.BigEndian.Uint16(data[2:])
			p.Timestamp = binary.BigEndian.Uint32(data[4:])
			p.Marker = data[8]&1 != 0
			data = data[9+size:]
			before := a.stats.Dropped
			needKey := a.push(p, epoch.Add(time.Duration(ms)*time.Millisecond), func(u pipeline.Unit) {
				if first && !u.Key {
					t.Error("the first unit is not a key unit")
				}
				first = false
				if n := len(u.Data); n == 0 || n > 3*opts.UnitBytes {
					t.Errorf("a unit of %d bytes", n)
				}
			})
			if a.stats.Dropped > before && !needKey {
				t.Error("a unit was dropped, but no key frame is needed")
			}
			if len(a.waiting) >= opts.Packets || a.bytes > opts.Bytes {
				t.Errorf("%d packets with %d bytes wait", len(a.waiting), a.bytes)
			}
		}
	})
}

func appendPacket(b []byte, p *rtp.Packet) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(len(p.Payload)))
	b = binary.BigEndian.AppendUint16(b, p.SequenceNumber)
	b = binary.BigEndian.AppendUint32(b, p.Timestamp)
	marker := byte(0)
	if p.Marker {
		marker = 1
	}
	return append(append(b, marker), p.Payload...)
}
