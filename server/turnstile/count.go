package turnstile

import (
	"net/netip"
	"sync"
)

// Count bounds how many are inside, in all and of one source. It is safe for use by several goroutines.
type Count struct {
	// static after construction
	all, each int
	free      func(netip.Addr) bool // of the bound for one source

	mu      sync.Mutex
	inside  int                  // guarded by mu
	of      map[netip.Prefix]int // guarded by mu
	refused Refusals             // guarded by mu
}

// Refusals are how often one was too many, by the bound that was reached.
type Refusals struct{ Total, Address uint64 }

// NewCount lets at most all be inside at a time, and at most each of one source, but of those that free says may have all. A nil free
// frees none.
func NewCount(all, each int, free func(netip.Addr) bool) *Count {
	return &Count{all: all, each: each, free: free, of: map[netip.Prefix]int{}}
}

// Enter says whether one more of a source may in. Who was let in has to Leave.
func (c *Count) Enter(from netip.Prefix) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.inside >= c.all:
		c.refused.Total++
		return false
	case c.of[from] >= c.each && (c.free == nil || !c.free(from.Addr())):
		c.refused.Address++
		return false
	}
	c.inside++
	c.of[from]++
	return true
}

// Leave gives a place back.
func (c *Count) Leave(from netip.Prefix) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inside--
	if c.of[from]--; c.of[from] == 0 {
		delete(c.of, from)
	}
}

// Refused tells the refusals so far.
func (c *Count) Refused() Refusals {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.refused
}
