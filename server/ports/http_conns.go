package ports

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
)

// HTTPConns bounds how many HTTP connections are open: each costs memory before its first byte arrives. It works as an
// http.Server's ConnState and not as a listener, so that requests under way outlive the listener.
type HTTPConns struct {
	limit *connLimit

	mu     sync.Mutex
	ending bool                      // guarded by mu
	open   map[net.Conn]netip.Prefix // guarded by mu: sources
	unused map[net.Conn]bool         // guarded by mu: those of open without a first byte
}

// NewHTTPConns bounds the connections in all and of one source: see SourceOf. Trusted proxies and private networks,
// where a proxy may be, have no bound of their own, since their connections are their clients'.
func NewHTTPConns(total, perSource int, proxies Proxies) *HTTPConns {
	exempt := func(ip netip.Addr) bool { return ip.IsLoopback() || ip.IsPrivate() || proxies.Trust(ip) }
	return &HTTPConns{
		limit: newConnLimit(total, perSource, exempt),
		open:  map[net.Conn]netip.Prefix{}, unused: map[net.Conn]bool{},
	}
}

// ConnState is an http.Server's ConnState. It closes a new connection that exceeds a bound.
func (c *HTTPConns) ConnState(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		if !c.add(conn, SourceOf(conn.RemoteAddr())) {
			_ = conn.Close() // without an answer
		}
	case http.StateActive:
		c.mu.Lock()
		delete(c.unused, conn)
		c.mu.Unlock()
	case http.StateClosed, http.StateHijacked:
		c.remove(conn)
	}
}

// CloseUnused closes the connections without a first byte, now and from now on. Browsers open some in advance, and
// http.Server's Shutdown would wait five seconds for each.
func (c *HTTPConns) CloseUnused() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ending = true
	for conn := range c.unused {
		_ = conn.Close() // nothing was asked
	}
}

func (c *HTTPConns) add(conn net.Conn, source netip.Prefix) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending || !c.limit.acquire(source) {
		return false
	}
	c.open[conn], c.unused[conn] = source, true
	return true
}

func (c *HTTPConns) remove(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	source, ok := c.open[conn]
	if !ok {
		return
	}
	delete(c.open, conn)
	delete(c.unused, conn)
	c.limit.release(source)
}

// Open returns the number of open connections, and of those without a first byte.
func (c *HTTPConns) Open() (open, unused int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.open), len(c.unused)
}

// Refused counts refused connections by the bound that was reached.
func (c *HTTPConns) Refused() map[string]uint64 {
	r := c.limit.refusals()
	return map[string]uint64{"total": r.total, "address": r.perSource}
}
