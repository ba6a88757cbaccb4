// Package turnstile bounds how many connections a listener holds, in all and of one address.
package turnstile

import (
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
)

// Listener refuses the connections beyond its bounds by closing them at once.
type Listener struct {
	net.Listener
	count *Count

	mu     sync.Mutex
	held   map[*conn]struct{} // guarded by mu
	closed bool               // guarded by mu
}

// New lets at most all connections be open at a time, and at most each of one address. Of IPv6 that is a network of 64 bits,
// since it is what one visitor has.
func New(l net.Listener, all, each int) *Listener {
	return &Listener{Listener: l, count: NewCount(all, each, nil), held: map[*conn]struct{}{}}
}

// Refused is how many were closed at once so far.
func (l *Listener) Refused() uint64 {
	r := l.count.Refused()
	return r.Total + r.Address
}

// Accept waits for a connection within the bounds.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if held := (&conn{Conn: c, gate: l, from: Source(c.RemoteAddr())}); l.enter(held) {
			return held, nil
		}
		_ = c.Close() // it is a stranger's, and nothing was said yet
	}
}

func (l *Listener) enter(c *conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || !l.count.Enter(c.from) {
		return false
	}
	l.held[c] = struct{}{}
	return true
}

func (l *Listener) leave(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, here := l.held[c]; !here {
		return
	}
	delete(l.held, c)
	l.count.Leave(c.from)
}

// Close closes the connections too, so that nobody waits for what a stranger might still say.
func (l *Listener) Close() error {
	l.mu.Lock()
	l.closed = true
	held := slices.Collect(maps.Keys(l.held))
	l.mu.Unlock()
	err := l.Listener.Close()
	for _, c := range held {
		_ = c.Close()
	}
	return err
}

// conn gives its place back when it is closed.
type conn struct {
	net.Conn
	gate *Listener
	from netip.Prefix
}

func (c *conn) Close() error {
	c.gate.leave(c)
	return c.Conn.Close()
}

// Source is what visitors are told apart by: an IPv4 address, or 64 bits of an IPv6 address. The zero Prefix is an address of
// another kind.
func Source(a net.Addr) netip.Prefix {
	var ip netip.Addr
	switch a := a.(type) {
	case *net.TCPAddr:
		ip = a.AddrPort().Addr()
	case *net.UDPAddr:
		ip = a.AddrPort().Addr()
	}
	ip = ip.Unmap().WithZone("")
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
