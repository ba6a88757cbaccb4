// Package receive makes units out of the RTP packets of one video track. A unit is handed over at
// its last packet; Pion's sample builder, in contrast, waits for the first packet of the next.
package receive

import (
	"bytes"
	"fmt"
	"time"

	"github.com/pion/rtp"

	"mindflow/pipeline"
)

// silence is how long nothing comes from a line that is down: cameras send more than three frames a second.
const silence = 300 * time.Millisecond

// farBehind is further back than any retransmission, in packets.
const farBehind = 4096

// Options bound the memory and the delay of an Assembler. A zero field means its default.
type Options struct {
	Wait      time.Duration // how long a missing packet is waited for; default 700 ms: a sender does not repeat one twice within its round trip
	Packets   int           // packets that wait behind a missing one, at most 32767; default 512
	Bytes     int           // payload of those packets; default 4 MiB
	UnitBytes int           // payload of one unit; default 4 MiB
}

// Stats count, since New, what did not become a unit.
type Stats struct {
	Dropped   uint64 // units: of what follows, and units that had to wait for a key unit
	Lost      uint64 // packets given up
	Overflow  uint64 // times that too much waited behind a missing packet
	Late      uint64 // packets that came after they were given up, or from before the first
	Duplicate uint64 // packets that had come before
	Malformed uint64 // packets that do not fit the codec's payload format
	Oversize  uint64 // units over the bound
	Riddled   uint64 // times that a multiple was sent of what the line carries
}

// Assembler is owned by one goroutine.
type Assembler struct {
	opts  Options
	unit  depacketizer
	stats Stats

	// Order of packets.
	started  bool
	heard    time.Time // when the newest packet came
	next     uint16    // sequence number to take next
	lostFrom uint16    // [lostFrom, lostTo) were given up last
	lostTo   uint16
	newest   uint16          // sequence number that was waiting
	stray    uint16          // sequence number after a packet from far behind
	waiting  map[uint16]held // packets after a missing one, by sequence number; less than opts.Packets ahead of next
	bytes    int             // payload in waiting
	gapSince time.Time       // when next was found missing
	resume   time.Time       // when missing packets are waited for again

	// The unit under way.
	busy      bool // packets of it have come
	whole     bool // and all of them
	timestamp uint32
	size      int       // payload so far, in bytes
	arrived   time.Time // the last of its packets

	awaitKey bool // units are dropped until a key unit
	skipped  bool // packets were given up since the last unit began
	needKey  bool // what Push will report
}

// held is a packet and when it came.
type held struct {
	packet *rtp.Packet
	at     time.Time
}

// New makes an assembler for one track.
func New(codec pipeline.Codec, opts Options) (*Assembler, error) {
	unit, err := newDepacketizer(codec)
	if err != nil {
		return nil, err
	}
	opts.Wait = orDefault(opts.Wait, 700*time.Millisecond)
	opts.Packets = orDefault(opts.Packets, 512)
	opts.Bytes = orDefault(opts.Bytes, 4<<20)
	opts.UnitBytes = orDefault(opts.UnitBytes, 4<<20)
	if opts.Wait < 0 || opts.Packets < 0 || opts.Packets >= 1<<15 || opts.Bytes < 0 || opts.UnitBytes < 0 {
		return nil, fmt.Errorf("reassembly options %+v are out of range", opts)
	}
	return &Assembler{opts: opts, unit: unit, waiting: make(map[uint16]held), awaitKey: true, skipped: true}, nil
}

func orDefault[T int | time.Duration](v, def T) T {
	if v == 0 {
		return def
	}
	return v
}

// Stats returns the counts so far.
func (a *Assembler) Stats() Stats { return a.stats }

// Resync drops units until the next key unit: after the decoder failed, or a unit was thrown away.
func (a *Assembler) Resync() { a.awaitKey = true }

// Push takes a packet that came at now and calls emit with each unit that is complete by it, in order.
// The first unit, and the first after a loss, is a key unit. It reports whether a key frame must be
// asked for: true again with each unit that is dropped until one comes. The assembler may keep p, so
// its payload must not be used again; the unit's Data belongs to emit.
func (a *Assembler) Push(p *rtp.Packet, now time.Time, emit func(pipeline.Unit)) (needKey bool) {
	a.needKey = false
	if !a.started {
		a.started = true
		a.heard, a.next, a.lostTo, a.stray = now, p.SequenceNumber, p.SequenceNumber, p.SequenceNumber
		a.lostFrom = a.lostTo - uint16(a.opts.Packets-1)
	}
	if now.Sub(a.heard) >= silence {
		a.giveUpAll(p.SequenceNumber, emit)
	}
	a.heard = now
	if a.admit(p, now, emit) {
		a.take(emit)
	}
	if a.riddled() {
		a.stats.Riddled++
		a.giveUpAll(a.newest+1, emit)
		a.resume = now.Add(a.opts.Wait)
	}
	for len(a.waiting) > 0 {
		if a.bytes > a.opts.Bytes {
			a.stats.Overflow++
		} else if now.Sub(a.gapSince) < a.wait() {
			break
		}
		a.giveUp(a.firstWaiting())
		a.take(emit)
	}
	return a.needKey
}

// admit puts p among the waiting, unless it comes twice or too late.
func (a *Assembler) admit(p *rtp.Packet, now time.Time, emit func(pipeline.Unit)) bool {
	seq := p.SequenceNumber
	if behind := a.next - seq; behind != 0 && behind <= 1<<15 {
		again := seq == a.stray
		a.stray = seq + 1
		if behind < farBehind || !again {
			a.countOld(seq)
			return false
		}
		a.restart(seq)
	}
	if _, twice := a.waiting[seq]; twice {
		a.stats.Duplicate++
		return false
	}
	a.makeRoom(seq, emit)
	if len(a.waiting) == 0 {
		a.gapSince = now
	}
	if len(a.waiting) == 0 || int16(seq-a.newest) > 0 {
		a.newest = seq
	}
	a.waiting[seq] = held{p, now}
	a.bytes += len(p.Payload)
	return true
}

// makeRoom gives up missing packets until seq is near enough to wait for them.
func (a *Assembler) makeRoom(seq uint16, emit func(pipeline.Unit)) {
	if int(seq-a.next) >= a.opts.Packets {
		a.stats.Overflow++
	}
	for int(seq-a.next) >= a.opts.Packets {
		if len(a.waiting) == 0 {
			a.giveUp(seq)
			return
		}
		a.giveUp(a.firstWaiting())
		a.take(emit)
	}
}

// giveUpAll follows a silence, which ended with seq: the line was down. To have all sent again that was lost in it would keep the key frame waiting that takes its place.
func (a *Assembler) giveUpAll(seq uint16, emit func(pipeline.Unit)) {
	for len(a.waiting) > 0 {
		a.giveUp(a.firstWaiting())
		a.take(emit)
	}
	if ahead := seq - a.next; ahead != 0 && ahead < 1<<15 {
		a.giveUp(seq)
	}
}

func (a *Assembler) countOld(seq uint16) {
	if seq-a.lostFrom < a.lostTo-a.lostFrom {
		a.stats.Late++
	} else {
		a.stats.Duplicate++
	}
}

// restart follows a sender that began anew: two packets in a row came from far behind (RFC 3550,
// appendix A.1).
func (a *Assembler) restart(seq uint16) {
	clear(a.waiting)
	a.bytes = 0
	a.giveUp(seq)
}

// giveUp goes on at seq. The unit under way is not whole, and others may be missing.
func (a *Assembler) giveUp(seq uint16) {
	if lost := seq - a.next; lost < 1<<15 {
		a.stats.Lost += uint64(lost)
		a.lostFrom, a.lostTo = a.next, seq
	}
	a.next = seq
	a.skipped, a.awaitKey, a.needKey = true, true, true
	a.whole = false
}

// take takes the packets that waited, up to the first that is missing.
func (a *Assembler) take(emit func(pipeline.Unit)) {
	from := a.next
	for {
		h, ok := a.waiting[a.next]
		if !ok {
			break
		}
		delete(a.waiting, a.next)
		a.bytes -= len(h.packet.Payload)
		a.next++
		a.add(h, emit)
	}
	if a.next != from && len(a.waiting) > 0 { // the packet after the next gap showed that there is one
		a.gapSince = a.waiting[a.firstWaiting()].at
	}
}

// firstWaiting is the lowest sequence number of those that wait.
func (a *Assembler) firstWaiting() uint16 {
	seq := a.next
	for {
		if _, ok := a.waiting[seq]; ok {
			return seq
		}
		seq++
	}
}

// add adds the next packet to the unit under way, or begins one with it.
func (a *Assembler) add(h held, emit func(pipeline.Unit)) {
	p := h.packet
	if len(p.Payload) == 0 { // padding: Chromium probes the bandwidth with it
		return
	}
	if a.busy && p.Timestamp != a.timestamp { // the last packet had no marker
		a.end(emit)
	}
	if !a.busy {
		a.begin(p)
	}
	if h.at.After(a.arrived) {
		a.arrived = h.at
	}
	a.size += len(p.Payload)
	switch {
	case !a.whole:
	case a.size > a.opts.UnitBytes:
		a.stats.Oversize++
		a.whole = false
	case a.unit.add(p.Payload) != nil:
		a.stats.Malformed++
		a.whole = false
	}
	if p.Marker {
		a.end(emit)
	}
}

func (a *Assembler) begin(p *rtp.Packet) {
	a.busy, a.whole = true, a.unit.begins(p.Payload)
	if !a.whole && !a.skipped {
		a.stats.Malformed++
	}
	a.skipped = false
	a.timestamp, a.size, a.arrived = p.Timestamp, 0, time.Time{}
}

// end hands over the unit under way, or drops it.
func (a *Assembler) end(emit func(pipeline.Unit)) {
	a.busy = false
	if !a.whole {
		a.unit.reset()
		a.drop()
		return
	}
	data, key, err := a.unit.finish()
	switch {
	case err != nil:
		a.stats.Malformed++
		a.drop()
	case len(data) == 0: // it goes with the next
	case a.awaitKey && !key:
		a.drop()
	default:
		a.awaitKey, a.resume = false, time.Time{}
		emit(pipeline.Unit{Data: bytes.Clone(data), RTP: a.timestamp, Key: key, Arrived: a.arrived})
	}
}

func (a *Assembler) drop() {
	a.stats.Dropped++
	a.awaitKey, a.needKey = true, true
}
