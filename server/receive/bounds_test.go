package receive

import (
	"bytes"
	"runtime"
	"testing"
	"time"

	"github.com/pion/rtp"

	"mindflow/pipeline"
)

// Payload descriptors of one unit's first packets and of those that go on, without an end.
var endless = map[pipeline.Codec]struct{ first, more []byte }{
	pipeline.VP8:  {[]byte{0x10}, []byte{0x00}},
	pipeline.VP9:  {[]byte{0x08}, []byte{0x00}},
	pipeline.H264: {[]byte{0x7c, 0x85, 0x80}, []byte{0x7c, 0x05}},
	pipeline.AV1:  {[]byte{0x58, 0x30}, []byte{0xd0}}, // N, Y, one element: a frame OBU; then Z, Y
}

// A sender who never ends a unit, or only after many megabytes, or who skips every other packet, holds no
// more memory than the bounds say, whatever codec it claims.
func TestHostileStreamsAreBounded(t *testing.T) {
	const packet, sent = 1200, 12 << 20
	opts := limits{Bytes: 512 << 10, UnitBytes: 512 << 10}
	limit := uint64(opts.Bytes + 3*opts.UnitBytes) // a growing slice is up to a quarter too large, and copied
	for _, codec := range allCodecs {
		for _, tt := range []struct {
			name     string
			oversize bool
			write    func(n int, h *rtp.Header)
		}{
			{"no marker", true, func(int, *rtp.Header) {}},
			{"a giant unit after the other", true, func(n int, h *rtp.Header) {
				h.Timestamp, h.Marker = uint32(n/5000),
					n%5000 == 4999
			}},
			{"a new time with each packet", false, func(n int, h *rtp.Header) { h.Timestamp = uint32(n) }},
			{"every other packet", false, func(n int, h *rtp.Header) { h.SequenceNumber = uint16(2 * n) }},
			{"far apart", false, func(n int, h *rtp.Header) { h.SequenceNumber = uint16(n * 30000) }},
		} {
			t.Run(string(codec)+"/"+tt.name, func(t *testing.T) {
				a, err := newAssembler(codec, opts)
				if err != nil {
					t.Fatal(err)
				}
				head := endless[codec]
				before := heap()
				emitted := 0
				for n := range sent / packet {
					p := &rtp.Packet{Header: rtp.Header{SequenceNumber: uint16(n)}, Payload: make([]byte, packet)}
					copy(p.Payload, head.more)
					if n%5000 == 0 {
						copy(p.Payload, head.first)
					}
					tt.write(n, &p.Header)
					a.push(
						p,
						epoch.Add(time.Duration(n)*time.Millisecond),
						func(u pipeline.Unit) { emitted = max(emitted, len(u.Data)) },
					)
					if n%2500 != 2499 {
						continue
					}
					if now := heap(); now > before+limit {
						t.Fatalf("%d MiB are held after %d packets, stats %+v", (now-before)>>20, n, a.stats)
					}
				}
				if emitted > opts.UnitBytes+packet {
					t.Errorf("a unit of %d bytes came", emitted)
				}
				if (a.stats.Oversize > 0) != tt.oversize {
					t.Errorf("stats %+v", a.stats)
				}
			})
		}
	}
}

// Pion's work for an AV1 unit grows with the square of its packets: one of many is given up in time.
func TestUnitOfManyPackets(t *testing.T) {
	for _, row := range []struct {
		packets int
		kept    bool
	}{{maxAV1Packets, true}, {maxAV1Packets + 1, false}} {
		unit, err := newDepacketizer(pipeline.AV1)
		if err != nil {
			t.Fatal(err)
		}
		head := endless[pipeline.AV1]
		err = unit.add(append(bytes.Clone(head.first), 1, 2, 3))
		for range row.packets - 1 {
			err = unit.add(append(bytes.Clone(head.more), 4, 5, 6))
		}
		if (err == nil) != row.kept {
			t.Errorf("%d packets: %v", row.packets, err)
		}
	}
}

// heap is the memory in use, after a collection.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
