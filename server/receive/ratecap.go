package receive

import "time"

const (
	capShare = 0.8             // of the rate that arrives: the packets that queue in the line must get through too
	capLeast = 50e3            // bits a second
	capTime  = 2 * time.Second // after it, the sender's congestion control knows the line
	uncapped = 100e6           // bits a second: the rate that ends a cap

	arrivalSlot  = 50 * time.Millisecond
	arrivalSlots = 5
)

// rateCap limits the sender to what the line carries, when the sender suddenly sends a multiple of that. Congestion
// control finds this out too, but some tenths of a second later: the key frame that is requested before then has the
// old size, and is lost on the line.
type rateCap struct {
	bytes  [arrivalSlots]int // received in the latest slots of time
	slot   int64             // the newest
	expiry time.Time         // zero means that there is no cap
}

// received counts a packet.
func (c *rateCap) received(bytes int, now time.Time) {
	c.advance(now)
	c.bytes[c.slot%arrivalSlots] += bytes
}

// advance empties the slots that have begun since the last call. When the clock is set back, the newest slot stays.
func (c *rateCap) advance(now time.Time) {
	slot := now.UnixNano() / int64(arrivalSlot)
	for range min(arrivalSlots, max(0, slot-c.slot)) {
		c.slot++
		c.bytes[c.slot%arrivalSlots] = 0
	}
	c.slot = max(c.slot, slot)
}

// start begins a cap and returns its rate, in bits a second.
func (c *rateCap) start(now time.Time) float64 {
	c.advance(now)
	c.expiry = now.Add(capTime)
	total := 0
	for _, b := range c.bytes {
		total += b
	}
	into := time.Duration(now.UnixNano() % int64(arrivalSlot)) // of the newest slot
	return max(capLeast, capShare*8*float64(total)/((arrivalSlots-1)*arrivalSlot+into).Seconds())
}

// expired reports, once, that the cap has ended.
func (c *rateCap) expired(now time.Time) bool {
	if c.expiry.IsZero() || now.Before(c.expiry) {
		return false
	}
	c.expiry = time.Time{}
	return true
}
