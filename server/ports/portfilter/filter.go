// Package portfilter stands between the network and Pion on the ports of all sessions, UDP and TCP. It lets
// through what a publisher of a live session can mean, and counts the rest by its reason: Pion's parsers,
// of a line that is no longer mended, see nothing else.
//
// An address is a stranger until Pion has answered a binding request of its, which it does when the request
// knows a session's password. Requests are all that strangers can send. The server is ICE-lite (RFC 8445,
// section 2.5): it makes no requests, so no response is ever read. It is always DTLS's server.
package portfilter

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	maxPacket  = 2048 // bytes of a datagram or a frame; browsers send 1500 at most
	maxFlows   = 64   // addresses that a guest proved between two of its answers; Pion keeps each
	maxPending = 16   // addresses that claim to be a guest's and have not been answered yet
	maxSSRCs   = 16   // streams of a guest; Pion makes room for each before it knows who sent it

	requestRate  = 100 // binding requests of a guest a second; browsers make 50 at most (RFC 8445, section 14.2)
	requestBurst = 200
	reportRate   = 20 // SRTCP packets of a guest a second; browsers send about five
	reportBurst  = 100
	maxReport    = 512 // bytes of an SRTCP packet; a sender's reports have 150

	maxHandshakes     = 512     // records of a guest with handshake messages in the clear, repetitions included
	maxHandshakeBytes = 1 << 18 // in them
	maxFinished       = 64      // encrypted ones
)

// Filter knows who may send what. Its zero value is not ready; use New. It is safe for concurrent use.
type Filter struct {
	now   func() time.Time // static after construction
	drops [reasons]atomic.Uint64

	mu     sync.Mutex
	guests map[string]*Guest        // by ufrag; guarded by mu
	flows  map[netip.AddrPort]*flow // of UDP; guarded by mu
}

// New makes a filter that lets nothing through until a guest is admitted. now tells the time.
func New(now func() time.Time) *Filter {
	return &Filter{now: now, guests: map[string]*Guest{}, flows: map[netip.AddrPort]*flow{}}
}

// Guest is a session's publisher, to the ports. Its limits hold across ICE restarts.
type Guest struct {
	filter *Filter       // static after construction
	sent   atomic.Uint64 // DTLS records

	// filter.mu guards:
	ufrag          string
	flows          []*flow // the newest last
	requests       bucket
	reports        bucket
	handshakes     int
	handshakeBytes int
	finished       int
	media, control ssrcs
}

// flow is an address that UDP came from, or a TCP connection. filter.mu guards it.
type flow struct {
	guest *Guest
	key   netip.AddrPort // of UDP
	addr  *net.UDPAddr   // key as Pion has it; made once, since Pion only reads it
	known bool           // Pion has answered
	over  bool           // its guest has left or restarted ICE
}

// Admit makes a guest that nothing is let through for until Answer.
func (f *Filter) Admit() *Guest {
	now := f.now()
	return &Guest{filter: f, requests: bucket{requestBurst, now}, reports: bucket{reportBurst, now}}
}

// Answer says by which ufrag of the server's the guest's requests are known from now on, as the answer to its offer
// has it. The addresses that it proved before count no more: after an ICE restart each is checked again.
func (g *Guest) Answer(ufrag string) {
	f := g.filter
	f.mu.Lock()
	defer f.mu.Unlock()
	if g.ufrag == ufrag {
		return
	}
	g.forget()
	g.ufrag = ufrag
	f.guests[ufrag] = g
}

// Leave ends all that is let through for the guest. It may be called again.
func (g *Guest) Leave() {
	g.filter.mu.Lock()
	defer g.filter.mu.Unlock()
	g.forget()
}

// forget is called with filter.mu.
func (g *Guest) forget() {
	if g.ufrag == "" {
		return
	}
	delete(g.filter.guests, g.ufrag)
	g.ufrag = ""
	for _, fl := range g.flows {
		fl.over = true
		delete(g.filter.flows, fl.key)
	}
	g.flows = nil
}

// Sent counts the DTLS records that were sent to the guest.
func (g *Guest) Sent() uint64 { return g.sent.Load() }

// Drops counts what was not let through, by reason; every reason is there.
func (f *Filter) Drops() map[string]uint64 {
	counts := make(map[string]uint64, reasons-1)
	for r := passed + 1; r < reasons; r++ {
		counts[r.String()] = f.drops[r].Load()
	}
	return counts
}

func (f *Filter) drop(r reason) { f.drops[r].Add(1) }

// judge says whether p may pass that came by fl, which is nil for an address that nothing is known of. A request
// that may pass by an unknown address needs a flow of the guest that is returned. It is called with mu.
func (f *Filter) judge(fl *flow, p []byte, now time.Time) (claims *Guest, why reason) {
	if len(p) == 0 || len(p) > maxPacket {
		return nil, badSize
	}
	if isSTUN(p) {
		return f.judgeRequest(fl, p, now)
	}
	if fl == nil || !fl.known || fl.over {
		return nil, stranger
	}
	switch {
	case isDTLS(p):
		return nil, fl.guest.judgeRecords(p)
	case isMedia(p):
		return nil, fl.guest.judgeMedia(p, now)
	}
	return nil, unknownKind
}

func (f *Filter) judgeRequest(fl *flow, p []byte, now time.Time) (*Guest, reason) {
	ufrag, why := readRequest(p)
	if why != passed {
		return nil, why
	}
	g := f.guests[string(ufrag)]
	switch {
	case g == nil, fl != nil && fl.known && !fl.over && fl.guest != g:
		return nil, unknownUser
	case !g.requests.take(requestRate, requestBurst, now):
		return nil, tooMany
	case fl == nil || fl.over || fl.guest != g:
		return g, passed
	}
	return nil, passed
}

// take makes fl one of the guest's that nobody has proved yet, in the place of the oldest such when there are too many.
// It is called with filter.mu, as is lose.
func (g *Guest) take(fl *flow) reason {
	pending, oldest := 0, (*flow)(nil)
	for _, other := range g.flows {
		if other.known {
			continue
		}
		if oldest == nil {
			oldest = other
		}
		pending++
	}
	if len(g.flows)-pending >= maxFlows {
		return tooManyAddresses
	}
	if pending >= maxPending {
		g.lose(oldest)
	}
	fl.guest = g
	g.flows = append(g.flows, fl)
	return passed
}

// lose takes one flow away from the guest.
func (g *Guest) lose(gone *flow) {
	gone.over = true
	g.flows = slices.DeleteFunc(g.flows, func(fl *flow) bool { return fl == gone })
	if g.filter.flows[gone.key] == gone {
		delete(g.filter.flows, gone.key)
	}
}

// sent notes what a packet that was sent says of a flow: a response, that Pion has found a request of it to be a
// guest's. It is called with filter.mu.
func (fl *flow) sent(response, sealed bool) {
	if fl.over || fl.guest == nil {
		return
	}
	fl.known = fl.known || response
	if sealed {
		fl.guest.sent.Add(1)
	}
}

// ssrcs are the streams seen, in the order in which they came.
type ssrcs struct {
	seen [maxSSRCs]uint32
	n    int
}

// has says whether a stream is one of those, or can be one more.
func (s *ssrcs) has(ssrc uint32) bool {
	for _, known := range s.seen[:s.n] {
		if known == ssrc {
			return true
		}
	}
	if s.n == maxSSRCs {
		return false
	}
	s.seen[s.n] = ssrc
	s.n++
	return true
}

// bucket holds what may come at once.
type bucket struct {
	tokens float64
	at     time.Time
}

// take takes one, if there is one. rate come back a second, up to burst.
func (b *bucket) take(rate, burst float64, now time.Time) bool {
	b.tokens = min(burst, b.tokens+max(0, now.Sub(b.at).Seconds())*rate)
	b.at = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
