package turn

import (
	"hash/maphash"
	"net"
	"sync"
	"time"

	"mindflow/server/ports"
)

const (
	askBurst = 30 // questions without credentials that an address may ask at once: a browser asks two of each of its addresses
	askRate  = 10 // and a second
	buckets  = 4096
)

// askers limits what is answered without credentials: the asker's address may be forged, and the answer is larger than the
// question. It does not grow: addresses share buckets.
type askers struct {
	seed maphash.Seed

	mu    sync.Mutex
	asked [buckets]bucket // guarded by mu
}

type bucket struct {
	spent float64
	at    time.Time
}

func newAskers() *askers { return &askers{seed: maphash.MakeSeed()} }

// mayAsk takes a question of an address into account, or refuses it.
func (a *askers) mayAsk(from net.Addr, now time.Time) bool {
	i := maphash.Comparable(a.seed, ports.SourceOf(from)) % buckets
	a.mu.Lock()
	defer a.mu.Unlock()
	b := &a.asked[i]
	b.spent = max(0, b.spent-now.Sub(b.at).Seconds()*askRate)
	b.at = now
	if b.spent+1 > askBurst {
		return false
	}
	b.spent++
	return true
}
