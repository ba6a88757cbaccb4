package server

import "time"

const (
	narrowShare = 0.8             // of what arrives, that a publisher is told to send: what had waited in the line shall get through too
	narrowLeast = 50e3            // bits a second
	narrowTime  = 2 * time.Second // that it is held to that: by then it has found out itself what the line carries
	noLimit     = 100e6           // bits a second, which lifts it

	arrivalSlot  = 50 * time.Millisecond
	arrivalSlots = 5
)

// narrow tells a publisher what a line carries when it turns out that it sends a multiple of that. Congestion control finds that out too,
// but some tenths of a second later; the key frame that is asked for before is as large as the line was, and is lost on it. Owned by read.
type narrow struct {
	bytes [arrivalSlots]int // that came in the latest slots of time
	slot  int64             // the newest
	lift  time.Time         // when the limit is; zero where there is none
}

// arrived counts a packet.
func (n *narrow) arrived(bytes int, now time.Time) {
	n.advance(now)
	n.bytes[n.slot%arrivalSlots] += bytes
}

// advance empties the slots that have begun since. A clock that is set back goes on with the newest.
func (n *narrow) advance(now time.Time) {
	slot := now.UnixNano() / int64(arrivalSlot)
	for range min(arrivalSlots, max(0, slot-n.slot)) {
		n.slot++
		n.bytes[n.slot%arrivalSlots] = 0
	}
	n.slot = max(n.slot, slot)
}

// limit gives the rate that a publisher is to keep to from now on, in bits a second.
func (n *narrow) limit(now time.Time) float64 {
	n.advance(now)
	n.lift = now.Add(narrowTime)
	total := 0
	for _, b := range n.bytes {
		total += b
	}
	into := time.Duration(now.UnixNano() % int64(arrivalSlot)) // of the newest slot
	return max(narrowLeast, narrowShare*8*float64(total)/((arrivalSlots-1)*arrivalSlot+into).Seconds())
}

// over says that the limit is to be lifted, once.
func (n *narrow) over(now time.Time) bool {
	if n.lift.IsZero() || now.Before(n.lift) {
		return false
	}
	n.lift = time.Time{}
	return true
}
