package receive

import (
	"bytes"
	"fmt"
	"time"

	"github.com/pion/rtp"

	"mindflow/pipeline"
)

// silence is the time without packets after which the line counts as interrupted: cameras send more than three frames a
// second.
const silence = 300 * time.Millisecond

// farBehind is a distance in packets, larger than that of any retransmission.
const farBehind = 4096

// limits bound the memory and the delay of an assembler. A zero field means its default.
type limits struct {
	// Wait is the longest wait for a missing packet; default 700 ms. A sender does not repeat a packet twice within
	// its round trip.
	Wait      time.Duration
	Packets   int // packets that wait behind a missing one, at most 32767; default 512
	Bytes     int // payload of those packets; default 4 MiB
	UnitBytes int // payload of one unit; default 4 MiB
}

// assemblyStats counts packets and units that were not used.
type assemblyStats struct {
	Dropped   uint64 // units that are not whole, or that came before the awaited key unit
	Lost      uint64 // packets given up
	Overflow  uint64 // times that too much waited behind a missing packet
	Late      uint64 // packets that came after they were given up, or that precede the first
	Duplicate uint64 // packets that had come before
	Malformed uint64 // packets that do not fit the codec's payload format
	Oversize  uint64 // units over the limit
	HeavyLoss uint64 // times that heavy loss began
}

// assembler makes units of packets. It emits a unit at the unit's last packet; Pion's sample builder, in contrast,
// waits for the first packet of the next unit. One goroutine owns an assembler.
type assembler struct {
	opts  limits
	unit  depacketizer
	stats assemblyStats

	// Order of packets.
	started  bool
	heard    time.Time // when the last packet came
	next     uint16    // sequence number to take next
	lostFrom uint16    // [lostFrom, lostTo) were given up last
	lostTo   uint16
	newest   uint16          // highest sequence number among waiting
	stray    uint16          // sequence number after a packet from far behind
	waiting  map[uint16]held // packets after a missing one, by sequence number; less than opts.Packets ahead of next
	bytes    int             // payload in waiting
	gapSince time.Time       // when next was found missing
	resume   time.Time       // end of heavy loss; until then no packet is requested or waited for

	// The unit under way.
	busy      bool // some of its packets have come
	whole     bool // its packets so far are complete and well formed
	timestamp uint32
	size      int       // payload so far, in bytes
	arrived   time.Time // when its last packet came

	awaitKey bool // units are dropped until a key unit
	skipped  bool // packets were given up since the last unit began
	needKey  bool // result of push
}

// held is a waiting packet, and when it came.
type held struct {
	packet *rtp.Packet
	at     time.Time
}

// newAssembler makes an assembler for one track.
func newAssembler(codec pipeline.Codec, opts limits) (*assembler, error) {
	unit, err := newDepacketizer(codec)
	if err != nil {
		return nil, err
	}
	opts.Wait = orDefault(opts.Wait, 700*time.Millisecond)
	opts.Packets = orDefault(opts.Packets, 512)
	opts.Bytes = orDefault(opts.Bytes, 4<<20)
	opts.UnitBytes = orDefault(opts.UnitBytes, 4<<20)
	if opts.Wait < 0 || opts.Packets < 0 || opts.Packets >= 1<<15 || opts.Bytes < 0 || opts.UnitBytes < 0 {
		return nil, fmt.Errorf("limits %+v of reassembly are out of range", opts)
	}
	return &assembler{opts: opts, unit: unit, waiting: make(map[uint16]held), awaitKey: true, skipped: true}, nil
}

func orDefault[T int | time.Duration](v, def T) T {
	if v == 0 {
		return def
	}
	return v
}

// resync drops units until the next key unit. Call it when a unit was not used.
func (a *assembler) resync() { a.awaitKey = true }

// push takes a packet that came at now and calls emit with each unit that the packet completes, in order. The first
// unit, and the first after a loss, is a key unit. It reports whether a key frame must be requested: it does so again
// with each unit that is dropped until one comes. The assembler may keep p, whose payload must not be used again; the
// unit's Data belongs to emit.
func (a *assembler) push(p *rtp.Packet, now time.Time, emit func(pipeline.Unit)) (needKey bool) {
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
	if a.inHeavyLoss() {
		a.stats.HeavyLoss++
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

// admit adds p to the waiting packets, unless it is a duplicate or too late.
func (a *assembler) admit(p *rtp.Packet, now time.Time, emit func(pipeline.Unit)) bool {
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
func (a *assembler) makeRoom(seq uint16, emit func(pipeline.Unit)) {
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

// giveUpAll gives up all missing packets before seq, after an interruption or in heavy loss. If the sender repeated
// them, they would delay the key frame that replaces them.
func (a *assembler) giveUpAll(seq uint16, emit func(pipeline.Unit)) {
	for len(a.waiting) > 0 {
		a.giveUp(a.firstWaiting())
		a.take(emit)
	}
	if ahead := seq - a.next; ahead != 0 && ahead < 1<<15 {
		a.giveUp(seq)
	}
}

func (a *assembler) countOld(seq uint16) {
	if seq-a.lostFrom < a.lostTo-a.lostFrom {
		a.stats.Late++
	} else {
		a.stats.Duplicate++
	}
}

// restart continues at seq, because the sender restarted: two packets in a row came from far behind (RFC 3550, appendix
// A.1).
func (a *assembler) restart(seq uint16) {
	clear(a.waiting)
	a.bytes = 0
	a.giveUp(seq)
}

// giveUp continues at seq. The unit under way is not whole, and others may be missing.
func (a *assembler) giveUp(seq uint16) {
	if lost := seq - a.next; lost < 1<<15 {
		a.stats.Lost += uint64(lost)
		a.lostFrom, a.lostTo = a.next, seq
	}
	a.next = seq
	a.skipped, a.awaitKey, a.needKey = true, true, true
	a.whole = false
}

// take takes the waiting packets up to the first that is missing.
func (a *assembler) take(emit func(pipeline.Unit)) {
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
	if a.next != from && len(a.waiting) > 0 { // the gap was noticed when the packet after it came
		a.gapSince = a.waiting[a.firstWaiting()].at
	}
}

// firstWaiting returns the lowest sequence number among the waiting packets.
func (a *assembler) firstWaiting() uint16 {
	seq := a.next
	for {
		if _, ok := a.waiting[seq]; ok {
			return seq
		}
		seq++
	}
}

// add adds the next packet to the unit under way, or begins one with it.
func (a *assembler) add(h held, emit func(pipeline.Unit)) {
	p := h.packet
	if len(p.Payload) == 0 { // padding, with which Chromium probes the bandwidth
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

func (a *assembler) begin(p *rtp.Packet) {
	a.busy, a.whole = true, a.unit.begins(p.Payload)
	if !a.whole && !a.skipped {
		a.stats.Malformed++
	}
	a.skipped = false
	a.timestamp, a.size, a.arrived = p.Timestamp, 0, time.Time{}
}

// end emits the unit under way, or drops it if it is not whole.
func (a *assembler) end(emit func(pipeline.Unit)) {
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
	case len(data) == 0: // the packets belong to the next unit
	case a.awaitKey && !key:
		a.drop()
	default:
		a.awaitKey, a.resume = false, time.Time{}
		emit(pipeline.Unit{Data: bytes.Clone(data), RTP: a.timestamp, Key: key, Arrived: a.arrived})
	}
}

func (a *assembler) drop() {
	a.stats.Dropped++
	a.awaitKey, a.needKey = true, true
}
