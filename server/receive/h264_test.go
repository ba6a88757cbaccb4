package receive

import (
	"bytes"
	"testing"

	"github.com/pion/rtp"

	"mindflow/pipeline"
)

// Payloads of RFC 6184. In slices, 0x80 begins a picture and 0x40 goes on with it.
var (
	sps      = []byte{0x67, 1}
	sps2     = []byte{0x67, 2}
	pps      = []byte{0x68, 1}
	stap     = []byte{0x78, 0, 2, 0x67, 1, 0, 2, 0x68, 1}
	idr      = []byte{0x65, 0x80, 1}
	idrMore  = []byte{0x65, 0x40, 2}
	slice    = []byte{0x41, 0x80, 3}
	fuFirst  = []byte{0x7c, 0x85, 0x80}
	fuMiddle = []byte{0x7c, 0x05, 1}
	fuLast   = []byte{0x7c, 0x45, 2}
)

// annexB joins NAL units.
func annexB(nalus ...[]byte) (b []byte) {
	for _, n := range nalus {
		b = append(append(b, 0, 0, 0, 1), n...)
	}
	return b
}

func TestH264(t *testing.T) {
	type unit = [][]byte // the packets of one timestamp
	for _, tt := range []struct {
		name      string
		units     []unit
		want      [][]byte // the units that come, of which the first is a key unit
		malformed uint64
	}{
		{"apart", []unit{{sps, pps, idr}, {slice}}, [][]byte{annexB(sps, pps, idr), annexB(slice)}, 0},
		{"aggregated", []unit{{stap, idr, idrMore}}, [][]byte{annexB(sps, pps, idr, idrMore)}, 0},
		{"in pieces", []unit{{stap, fuFirst, fuMiddle, fuLast}}, [][]byte{annexB(sps, pps, []byte{0x65, 0x80, 1, 2})},
			0},
		{"parameters of their own timestamp", []unit{{sps, pps}, {idr}}, [][]byte{annexB(sps, pps, idr)}, 0},
		{"parameters change before a slice", []unit{{stap, idr}, {sps2}, {slice}},
			[][]byte{annexB(sps, pps, idr), annexB(sps2, slice)}, 0},
		{"parameters once", []unit{{stap, idr}, {idr}}, [][]byte{annexB(sps, pps, idr), annexB(sps, pps, idr)}, 0},
		{"the last parameters", []unit{{stap, idr}, {sps2}, {slice}, {idr}},
			[][]byte{annexB(sps, pps, idr), annexB(sps2, slice), annexB(sps2, pps, idr)}, 0},
		{"parameters never", []unit{{idr}, {sps, idr}, {slice}}, nil, 0},
		{"no IDR", []unit{{stap, slice}, {slice}}, nil, 0},
		{"begins amid a picture", []unit{{idrMore}, {stap, idr}}, [][]byte{annexB(sps, pps, idr)}, 0},
		{"begins amid a fragment", []unit{{fuMiddle, fuLast}, {stap, idr}}, [][]byte{annexB(sps, pps, idr)}, 0},
		{"first piece missing", []unit{{stap, fuMiddle, fuLast}, {stap, idr}}, [][]byte{annexB(sps, pps, idr)}, 1},
		{"last piece missing", []unit{{stap, fuFirst, fuMiddle}, {stap, idr}}, [][]byte{annexB(sps, pps, idr)}, 1},
		{"two first pieces", []unit{{stap, fuFirst, fuFirst, fuLast}, {stap, idr}}, [][]byte{annexB(sps, pps, idr)}, 1},
		{"a unit amid pieces", []unit{{stap, fuFirst, slice, fuLast}, {stap, idr}}, [][]byte{annexB(sps, pps, idr)}, 1},
		{"short fragment", []unit{{stap, idr, {0x7c}}, {stap, idr}}, [][]byte{annexB(sps, pps, idr)}, 1},
		{"aggregate states too much", []unit{{{0x78, 0, 9, 0x67}, idr}, {stap, idr}}, [][]byte{annexB(sps, pps, idr)},
			1},
		{"aggregate states nothing", []unit{{{0x78, 0, 0, 0x67}, idr}, {stap, idr}}, [][]byte{annexB(sps, pps, idr)},
			1},
		{"aggregate cut short", []unit{{{0x78, 0}, idr}, {stap, idr}}, [][]byte{annexB(sps, pps, idr)}, 1},
		{"interleaved mode", []unit{{stap, {0x7d, 0x85, 0, 0, 1}}, {stap, idr}}, [][]byte{annexB(sps, pps, idr)}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, err := newAssembler(pipeline.H264, limits{})
			if err != nil {
				t.Fatal(err)
			}
			var got []pipeline.Unit
			seq := uint16(0)
			for i, u := range tt.units {
				for j, payload := range u {
					header := rtp.Header{SequenceNumber: seq, Timestamp: uint32(i), Marker: j == len(u)-1}
					a.push(
						&rtp.Packet{Header: header, Payload: payload},
						epoch,
						func(u pipeline.Unit) { got = append(got, u) },
					)
					seq++
				}
			}
			if len(got) != len(tt.want) {
				t.Fatalf("%d units, want %d: %+v", len(got), len(tt.want), got)
			}
			for i, u := range got {
				if !bytes.Equal(u.Data, tt.want[i]) {
					t.Errorf("unit %d is %x, want %x", i, u.Data, tt.want[i])
				}
				if want := bytes.Contains(u.Data, annexB(idr[:1])); u.Key != want {
					t.Errorf("unit %d: key is %t", i, u.Key)
				}
			}
			if a.stats.Malformed != tt.malformed {
				t.Errorf("%d malformed, want %d", a.stats.Malformed, tt.malformed)
			}
		})
	}
}

// A stranger who never sends a slice, or never ends a fragment, gets no more memory than one unit.
func TestH264MemoryIsBounded(t *testing.T) {
	const limit = 100_000
	for _, tt := range []struct {
		name    string
		payload []byte
		ts      uint32 // step
	}{
		{"parameters only", append([]byte{0x67}, make([]byte, 1200)...), 3000},
		{"endless fragment", append([]byte{0x7c, 0x05}, make([]byte, 1200)...), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, err := newAssembler(pipeline.H264, limits{UnitBytes: limit})
			if err != nil {
				t.Fatal(err)
			}
			none := func(pipeline.Unit) { t.Fatal("a unit") }
			a.push(&rtp.Packet{Payload: fuFirst}, epoch, none)
			for n := range 2000 {
				header := rtp.Header{SequenceNumber: uint16(n + 1), Timestamp: uint32(n) * tt.ts}
				a.push(&rtp.Packet{Header: header, Payload: tt.payload}, epoch, none)
				if held := cap(a.unit.(*h264).buf); held > 2*limit {
					t.Fatalf("%d bytes are held after %d packets", held, n)
				}
			}
		})
	}
}
