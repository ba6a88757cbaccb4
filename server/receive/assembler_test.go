package receive

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"

	"mindflow/pipeline"
)

var epoch = time.Unix(1000, 0)

// vp8Packet is one packet of a made-up VP8 stream. The unit's first payload byte tells key from inter.
func vp8Packet(seq uint16, ts uint32, first, marker bool, data ...byte) *rtp.Packet {
	descriptor := byte(0)
	if first {
		descriptor = 0x10
	}
	return &rtp.Packet{
		Header:  rtp.Header{SequenceNumber: seq, Timestamp: ts, Marker: marker},
		Payload: append([]byte{descriptor}, data...),
	}
}

// stream is three packets a unit: key, inter, inter, key, inter, inter, …, from sequence number seq.
// Each unit's data is {0 or 1, n, n, n} with n from 1.
func stream(seq uint16, ts uint32, units int) []*rtp.Packet {
	var packets []*rtp.Packet
	for n := range units {
		inter, id := byte(min(n%3, 1)), byte(n+1)
		packets = append(packets,
			vp8Packet(seq, ts, true, false, inter, id),
			vp8Packet(seq+1, ts, false, false, id),
			vp8Packet(seq+2, ts, false, true, id))
		seq += 3
		ts += 3000
	}
	return packets
}

// step pushes packet (an index into the stream) at a time in milliseconds.
type step struct{ packet, ms int }

// inOrder lists the packets from..to-1, all at time 0.
func inOrder(from, to int) []step {
	var steps []step
	for i := from; i < to; i++ {
		steps = append(steps, step{packet: i})
	}
	return steps
}

func TestPush(t *testing.T) {
	padding := func(p []*rtp.Packet) []*rtp.Packet {
		for i := 3; i < 6; i++ { // the second unit becomes a probe, in the middle of which there is a marker
			p[i].Payload = nil
		}
		return p
	}
	noMarker := func(p []*rtp.Packet) []*rtp.Packet {
		p[2].Marker, p[5].Marker = false, false
		return p
	}
	long := func(p []*rtp.Packet) []*rtp.Packet { p[4].Payload = make([]byte, 101); return p }
	badStart := func(p []*rtp.Packet) []*rtp.Packet { p[3].Payload[0] = 0; return p }
	truncated := func(p []*rtp.Packet) []*rtp.Packet { p[4].Payload = []byte{0x80}; return p }

	for _, tt := range []struct {
		name    string
		seq     uint16
		ts      uint32
		change  func([]*rtp.Packet) []*rtp.Packet
		steps   []step
		units   []byte // their numbers
		needKey bool   // of the last push
		stats   assemblyStats
	}{
		{name: "in order", steps: inOrder(0, 12), units: []byte{1, 2, 3, 4}},
		{name: "at the last packet", steps: inOrder(0, 3), units: []byte{1}},
		{name: "not before the last packet", steps: inOrder(0, 2)},
		{name: "sequence wraps", seq: 65532, steps: inOrder(0, 12), units: []byte{1, 2, 3, 4}},
		{name: "timestamp wraps", ts: 1<<32 - 3000, steps: inOrder(0, 12), units: []byte{1, 2, 3, 4}},
		{name: "reordered", steps: []step{{0, 0}, {2, 0}, {1, 9}, {4, 9}, {5, 9}, {3, 9}}, units: []byte{1, 2}},
		{name: "reordered over the wrap", seq: 65535, steps: []step{{0, 0}, {2, 0}, {1, 9}}, units: []byte{1}},
		{name: "retransmitted in time", steps: []step{{0, 0}, {2, 0}, {3, 30}, {4, 60}, {5, 60}, {1, 299}},
			units: []byte{1, 2}},
		{name: "duplicates", steps: []step{{0, 0}, {0, 0}, {2, 0}, {2, 0}, {1, 0}, {1, 0}}, units: []byte{1},
			stats: assemblyStats{Duplicate: 3}},
		{name: "padding", change: padding, steps: inOrder(0, 9), units: []byte{1, 3}},
		{name: "no marker", change: noMarker, steps: inOrder(0, 9), units: []byte{1, 2, 3}},
		{name: "starts before a key unit", steps: inOrder(3, 12), units: []byte{4}, stats: assemblyStats{Dropped: 2}},
		{name: "starts amid a key unit", steps: inOrder(1, 12), units: []byte{4}, stats: assemblyStats{Dropped: 3}},
		{name: "still waits for a key unit", steps: inOrder(3, 6), needKey: true, stats: assemblyStats{Dropped: 1}},
		{
			name: "lost, then the next key unit",
			steps: append(inOrder(0, 4), append(inOrder(5, 12), step{packet: 12, ms: 300}, step{13, 300},
				step{14, 300})...),
			units: []byte{1, 4, 5}, stats: assemblyStats{Lost: 1, Dropped: 2},
		},
		{name: "a loss is told at once", steps: []step{{0, 0}, {1, 0}, {3, 0}, {4, 300}}, needKey: true,
			stats: assemblyStats{Lost: 1, Dropped: 1}},
		{
			name:  "late",
			steps: append(inOrder(0, 4), step{packet: 5}, step{6, 300}, step{4, 301}),
			units: []byte{1}, stats: assemblyStats{Lost: 1, Late: 1, Dropped: 1},
		},
		{
			name:  "two gaps, each with its own time",
			steps: []step{{0, 0}, {2, 0}, {4, 150}, {5, 150}, {1, 299}, {3, 440}},
			units: []byte{1, 2},
		},
		{name: "a silence without a loss", steps: append(inOrder(0, 5), step{5, 5000}, step{6, 9000}, step{7, 9000},
			step{8, 9000}), units: []byte{1, 2, 3}},
		{
			name:  "a silent line, and what was lost in it is not waited for",
			steps: append(inOrder(0, 4), step{5, 0}, step{8, 300}), needKey: true,
			units: []byte{1}, stats: assemblyStats{Lost: 3, Dropped: 2},
		},
		{
			name:  "a silent line, then a key unit",
			steps: append(inOrder(0, 5), step{9, 300}, step{10, 301}, step{11, 302}, step{6, 302}),
			units: []byte{1, 4}, stats: assemblyStats{Lost: 4, Late: 1, Dropped: 1},
		},
		{
			name:  "too many packets wait",
			steps: append(inOrder(0, 4), inOrder(5, 30)...),
			units: []byte{1, 4, 5, 6, 7, 8, 9, 10}, stats: assemblyStats{Lost: 1, Overflow: 1, Dropped: 2},
		},
		{name: "too large a unit", change: long, steps: inOrder(0, 12), units: []byte{1, 4},
			stats: assemblyStats{Oversize: 1, Dropped: 2}},
		{name: "no start", change: badStart, steps: inOrder(0, 12), units: []byte{1, 4},
			stats: assemblyStats{Malformed: 1, Dropped: 2}},
		{name: "malformed", change: truncated, steps: inOrder(0, 12), units: []byte{1, 4},
			stats: assemblyStats{Malformed: 1, Dropped: 2}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			packets := stream(tt.seq, tt.ts, 10)
			if tt.change != nil {
				packets = tt.change(packets)
			}
			a, err := newAssembler(pipeline.VP8, limits{Wait: 300 * time.Millisecond, Packets: 16, UnitBytes: 100})
			if err != nil {
				t.Fatal(err)
			}
			var units []byte
			needKey := false
			for _, s := range tt.steps {
				now := epoch.Add(time.Duration(s.ms) * time.Millisecond)
				needKey = a.push(packets[s.packet], now, func(u pipeline.Unit) {
					n := u.Data[1]
					units = append(units, n)
					inter := byte(min((n-1)%3, 1))
					if !bytes.Equal(u.Data, []byte{inter, n, n, n}) || u.Key != (inter == 0) ||
						u.RTP != tt.ts+3000*uint32(n-1) {
						t.Errorf("unit %d is %+v", n, u)
					}
				})
			}
			if !slices.Equal(units, tt.units) {
				t.Errorf("units %v, want %v", units, tt.units)
			}
			if needKey != tt.needKey {
				t.Errorf("the last push said needKey %t", needKey)
			}
			if a.stats != tt.stats {
				t.Errorf("stats %+v, want %+v", a.stats, tt.stats)
			}
		})
	}
}

func TestMissing(t *testing.T) {
	a, err := newAssembler(pipeline.VP8, limits{Wait: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	packets := stream(65534, 0, 4)
	for _, step := range []struct {
		packet, ms int
		want       []uint16
	}{{0, 0, nil}, {3, 0, []uint16{65535, 0}}, {6, 100, []uint16{65535, 0, 2, 3}}, {1, 100, []uint16{0, 2, 3}}, {7, 300,
		[]uint16{2, 3}}, {8, 300, []uint16{2, 3}}, {9, 400, nil}} {
		a.push(packets[step.packet], epoch.Add(time.Duration(step.ms)*time.Millisecond), func(pipeline.Unit) {})
		if got := a.missing(nil); !slices.Equal(got, step.want) {
			t.Errorf("after packet %d at %d ms %v are missing, want %v", step.packet, step.ms, got, step.want)
		}
	}
}

// A unit's time is when its last packet came, also when it then waited for another unit's packet.
func TestArrived(t *testing.T) {
	a, err := newAssembler(pipeline.VP8, limits{})
	if err != nil {
		t.Fatal(err)
	}
	packets := stream(0, 0, 2)
	var got []time.Duration
	for i, n := range []int{0, 1, 3, 4, 5, 2} {
		a.push(
			packets[n],
			epoch.Add(time.Duration(i)),
			func(u pipeline.Unit) { got = append(got, u.Arrived.Sub(epoch)) },
		)
	}
	if want := []time.Duration{5, 4}; !slices.Equal(got, want) {
		t.Errorf("units arrived at %v, want %v", got, want)
	}
}

func TestResync(t *testing.T) {
	a, err := newAssembler(pipeline.VP8, limits{})
	if err != nil {
		t.Fatal(err)
	}
	var units []byte
	for i, p := range stream(0, 0, 5) {
		needKey := a.push(p, epoch, func(u pipeline.Unit) {
			units = append(units, u.Data[1])
			if u.Data[1] == 1 {
				a.resync() // from within, as a session does whose decoder's queue is full
			}
		})
		if want := i == 5 || i == 8; needKey != want {
			t.Errorf("packet %d: needKey %t", i, needKey)
		}
	}
	if !slices.Equal(units, []byte{1, 4, 5}) {
		t.Errorf("units %v", units)
	}
}

// A sender that begins anew at another sequence number is followed at its second packet.
func TestSenderBeginsAnew(t *testing.T) {
	for _, seq := range []uint16{20000, 60000} { // ahead, behind
		a, err := newAssembler(pipeline.VP8, limits{})
		if err != nil {
			t.Fatal(err)
		}
		var units []byte
		for _, p := range slices.Concat(stream(100, 0, 3), stream(seq, 900000, 5)) {
			a.push(p, epoch, func(u pipeline.Unit) { units = append(units, u.Data[1]) })
		}
		if n := len(units); n < 5 || !slices.Equal(units[:3], []byte{1, 2, 3}) ||
			!slices.Equal(units[n-2:], []byte{4, 5}) {
			t.Errorf("from %d: units %v", seq, units)
		}
	}
}

// What waits is bounded in bytes as well.
func TestWaitingIsBounded(t *testing.T) {
	const limit = 50_000
	a, err := newAssembler(pipeline.VP8, limits{Bytes: limit})
	if err != nil {
		t.Fatal(err)
	}
	for seq := uint16(0); seq < 60000; seq += 2 { // every other packet is missing
		a.push(vp8Packet(seq, 0, false, false, make([]byte, 1200)...), epoch, func(pipeline.Unit) { t.Fatal("a unit") })
		if a.bytes > limit || len(a.waiting) > limit/1200 {
			t.Fatalf("%d packets with %d bytes wait", len(a.waiting), a.bytes)
		}
	}
	if a.stats.Overflow == 0 {
		t.Error("no overflow was counted")
	}
}

func TestNewRefuses(t *testing.T) {
	if _, err := newAssembler("H265", limits{}); err == nil {
		t.Error("an unknown codec was accepted")
	}
	for _, opts := range []limits{{Wait: -1}, {Packets: -1}, {Packets: 1 << 15}, {Bytes: -1}, {UnitBytes: -1}} {
		if _, err := newAssembler(pipeline.VP8, opts); err == nil {
			t.Errorf("%+v was accepted", opts)
		}
	}
}
