// Package portfilter filters the packets on the ports of all sessions, UDP and TCP, before Pion reads them. It passes
// what the publisher of an open session can mean, and counts the rest by reason: Pion's parsers, of a release line that
// gets no more fixes, see nothing else.
//
// An address is unauthenticated until Pion has answered a binding request from it, which proves that its sender knows a
// session's password. Until then, binding requests alone pass. The server is ICE-lite (RFC 8445, section 2.5): it sends
// no requests, so no response is ever read. It is always the DTLS server.
package portfilter

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

const (
	maxPacket  = 2048 // bytes of a datagram or a frame; browsers send 1500 at most
	maxFlows   = 64   // authenticated addresses of a peer between two of its answers; Pion keeps each
	maxPending = 16   // unauthenticated addresses of a peer
	maxSSRCs   = 16   // streams of a peer; Pion allocates for each before it authenticates the packet

	requestRate  = 100 // binding requests of a peer a second; browsers send 50 at most (RFC 8445, section 14.2)
	requestBurst = 200
	reportRate   = 20 // SRTCP packets of a peer a second; browsers send about five
	reportBurst  = 100
	maxReport    = 512 // bytes of an SRTCP packet; a sender's reports have 150

	maxHandshakes     = 512     // records of a peer with handshake messages in the clear, repetitions included
	maxHandshakeBytes = 1 << 18 // in them
	maxFinished       = 64      // encrypted ones
)

// Filter decides which packets pass. It is safe for concurrent use.
type Filter struct {
	now   func() time.Time // static after construction
	drops [reasons]atomic.Uint64

	mu    sync.Mutex
	peers map[string]*Peer         // guarded by mu: by ufrag
	flows map[netip.AddrPort]*flow // guarded by mu: of UDP
}

// New returns a filter that passes nothing before it has a peer. now returns the time.
func New(now func() time.Time) *Filter {
	return &Filter{now: now, peers: map[string]*Peer{}, flows: map[netip.AddrPort]*flow{}}
}

// Peer is the publisher of a session. Its limits hold across ICE restarts.
type Peer struct {
	// static after construction
	filter            *Filter
	requests, reports *rate.Limiter

	records atomic.Uint64 // of DTLS, sent

	// guarded by filter.mu
	ufrag          string
	flows          []*flow // the newest last
	handshakes     int
	handshakeBytes int
	finished       int
	media, control ssrcs
}

// flow is a remote UDP address, or a TCP connection. It is guarded by filter.mu.
type flow struct {
	peer          *Peer
	key           netip.AddrPort // of UDP
	addr          *net.UDPAddr   // key in Pion's form; allocated once, since Pion only reads it
	authenticated bool           // Pion has answered
	removed       bool           // its peer was closed or restarted ICE
}

// NewPeer returns a peer from which nothing passes before SetUfrag.
func (f *Filter) NewPeer() *Peer {
	return &Peer{
		filter:   f,
		requests: rate.NewLimiter(requestRate, requestBurst), reports: rate.NewLimiter(reportRate, reportBurst),
	}
}

// SetUfrag sets the server's ufrag by which the peer's requests are recognized, as in the answer to its offer. It
// removes the addresses of an earlier ufrag: after an ICE restart each is checked again.
func (peer *Peer) SetUfrag(ufrag string) {
	f := peer.filter
	f.mu.Lock()
	defer f.mu.Unlock()
	if peer.ufrag == ufrag {
		return
	}
	peer.reset()
	peer.ufrag = ufrag
	f.peers[ufrag] = peer
}

// Close ends all that passes from the peer. A second Close has no effect.
func (peer *Peer) Close() {
	peer.filter.mu.Lock()
	defer peer.filter.mu.Unlock()
	peer.reset()
}

// reset removes the ufrag and the flows. It is called with filter.mu.
func (peer *Peer) reset() {
	if peer.ufrag == "" {
		return
	}
	delete(peer.filter.peers, peer.ufrag)
	peer.ufrag = ""
	for _, fl := range peer.flows {
		fl.removed = true
		delete(peer.filter.flows, fl.key)
	}
	peer.flows = nil
}

// RecordsSent returns the number of DTLS records that were sent to the peer.
func (peer *Peer) RecordsSent() uint64 { return peer.records.Load() }

// Drops counts the dropped packets by reason; every reason is present.
func (f *Filter) Drops() map[string]uint64 {
	counts := make(map[string]uint64, reasons-1)
	for r := passed + 1; r < reasons; r++ {
		counts[r.String()] = f.drops[r].Load()
	}
	return counts
}

func (f *Filter) drop(r reason) { f.drops[r].Add(1) }

// check decides whether a packet of fl passes; fl is nil for an unknown address. A request that passes from an unknown
// address needs a flow of the claimed peer. It is called with mu.
func (f *Filter) check(fl *flow, p []byte, now time.Time) (claimed *Peer, why reason) {
	if len(p) == 0 || len(p) > maxPacket {
		return nil, badSize
	}
	if isSTUN(p) {
		return f.checkRequest(fl, p, now)
	}
	if fl == nil || !fl.authenticated || fl.removed {
		return nil, unauthenticated
	}
	switch {
	case isDTLS(p):
		return nil, fl.peer.checkRecords(p)
	case isMedia(p):
		return nil, fl.peer.checkMedia(p, now)
	}
	return nil, unknownKind
}

func (f *Filter) checkRequest(fl *flow, p []byte, now time.Time) (*Peer, reason) {
	ufrag, why := readRequest(p)
	if why != passed {
		return nil, why
	}
	peer := f.peers[string(ufrag)]
	switch {
	case peer == nil, fl != nil && fl.authenticated && !fl.removed && fl.peer != peer:
		return nil, unknownUser
	case !peer.requests.AllowN(now, 1):
		return nil, tooMany
	case fl == nil || fl.removed || fl.peer != peer:
		return peer, passed
	}
	return nil, passed
}

// addFlow adds an unauthenticated flow to the peer. It replaces the oldest such when there are maxPending. It is called
// with filter.mu, as is removeFlow.
func (peer *Peer) addFlow(fl *flow) reason {
	pending, oldest := 0, (*flow)(nil)
	for _, other := range peer.flows {
		if other.authenticated {
			continue
		}
		if oldest == nil {
			oldest = other
		}
		pending++
	}
	if len(peer.flows)-pending >= maxFlows {
		return tooManyAddresses
	}
	if pending >= maxPending {
		peer.removeFlow(oldest)
	}
	fl.peer = peer
	peer.flows = append(peer.flows, fl)
	return passed
}

func (peer *Peer) removeFlow(gone *flow) {
	gone.removed = true
	peer.flows = slices.DeleteFunc(peer.flows, func(fl *flow) bool { return fl == gone })
	if peer.filter.flows[gone.key] == gone {
		delete(peer.filter.flows, gone.key)
	}
}

// sent notes that a packet was sent on a flow: a binding response authenticates it, and an encrypted DTLS record
// counts. It is called with filter.mu.
func (fl *flow) sent(response, encrypted bool) {
	if fl.removed || fl.peer == nil {
		return
	}
	fl.authenticated = fl.authenticated || response
	if encrypted {
		fl.peer.records.Add(1)
	}
}

// ssrcs are the streams of a peer, in the order in which they came.
type ssrcs struct {
	seen [maxSSRCs]uint32
	n    int
}

// allow reports whether a stream is known, or can be one more.
func (s *ssrcs) allow(ssrc uint32) bool {
	if slices.Contains(s.seen[:s.n], ssrc) {
		return true
	}
	if s.n == maxSSRCs {
		return false
	}
	s.seen[s.n] = ssrc
	s.n++
	return true
}
