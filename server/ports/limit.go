package ports

import (
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
)

// connLimit bounds how many connections are open, in all and of one source. It is safe for concurrent use.
type connLimit struct {
	// static after construction
	total, perSource int
	exempt           func(netip.Addr) bool // from perSource; optional

	mu       sync.Mutex
	open     int                  // guarded by mu
	bySource map[netip.Prefix]int // guarded by mu
	refused  refusals             // guarded by mu
}

// refusals counts refused connections by the bound that was reached.
type refusals struct{ total, perSource uint64 }

func newConnLimit(total, perSource int, exempt func(netip.Addr) bool) *connLimit {
	return &connLimit{total: total, perSource: perSource, exempt: exempt, bySource: map[netip.Prefix]int{}}
}

// acquire reports whether one more connection of a source may open. If so, release must follow its end.
func (l *connLimit) acquire(source netip.Prefix) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.open >= l.total:
		l.refused.total++
		return false
	case l.bySource[source] >= l.perSource && (l.exempt == nil || !l.exempt(source.Addr())):
		l.refused.perSource++
		return false
	}
	l.open++
	l.bySource[source]++
	return true
}

func (l *connLimit) release(source netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	if l.bySource[source]--; l.bySource[source] == 0 {
		delete(l.bySource, source)
	}
}

func (l *connLimit) refusals() refusals {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.refused
}

// LimitedListener closes the connections beyond its bounds at once.
type LimitedListener struct {
	net.Listener
	limit *connLimit

	mu     sync.Mutex
	open   map[*limitedConn]struct{} // guarded by mu
	closed bool                      // guarded by mu
}

// LimitListener bounds how many connections of l are open at a time, in all and of one source: see SourceOf.
func LimitListener(l net.Listener, total, perSource int) *LimitedListener {
	return &LimitedListener{Listener: l, limit: newConnLimit(total, perSource, nil), open: map[*limitedConn]struct{}{}}
}

// Refused returns the number of connections that were refused.
func (l *LimitedListener) Refused() uint64 {
	r := l.limit.refusals()
	return r.total + r.perSource
}

// Accept waits for a connection within the bounds.
func (l *LimitedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if limited := (&limitedConn{Conn: c, listener: l, source: SourceOf(c.RemoteAddr())}); l.add(limited) {
			return limited, nil
		}
		_ = c.Close() // nothing was sent yet
	}
}

func (l *LimitedListener) add(c *limitedConn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || !l.limit.acquire(c.source) {
		return false
	}
	l.open[c] = struct{}{}
	return true
}

func (l *LimitedListener) remove(c *limitedConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, open := l.open[c]; !open {
		return
	}
	delete(l.open, c)
	l.limit.release(c.source)
}

// Close closes the open connections too, so that no reader waits for a peer.
func (l *LimitedListener) Close() error {
	l.mu.Lock()
	l.closed = true
	open := slices.Collect(maps.Keys(l.open))
	l.mu.Unlock()
	err := l.Listener.Close()
	for _, c := range open {
		_ = c.Close()
	}
	return err
}

// limitedConn counts until it is closed.
type limitedConn struct {
	net.Conn
	listener *LimitedListener
	source   netip.Prefix
}

func (c *limitedConn) Close() error {
	c.listener.remove(c)
	return c.Conn.Close()
}

// SourceOf returns the network that counts as one source of connections: see network. It is the zero Prefix for an
// address that is neither TCP's nor UDP's.
func SourceOf(a net.Addr) netip.Prefix {
	switch a := a.(type) {
	case *net.TCPAddr:
		return network(a.AddrPort().Addr())
	case *net.UDPAddr:
		return network(a.AddrPort().Addr())
	}
	return netip.Prefix{}
}

// network returns an IPv4 address, or the /64 of an IPv6 address: a household has at least a whole /64.
func network(ip netip.Addr) netip.Prefix {
	ip = plain(ip)
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	p, err := ip.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

// plain returns an address without a zone, and IPv4 as such.
func plain(ip netip.Addr) netip.Addr { return ip.Unmap().WithZone("") }
