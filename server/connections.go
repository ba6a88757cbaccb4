package server

import (
	"net"
	"net/http"
	"net/netip"
	"sync"

	"mindflow/server/remote"
	"mindflow/server/turnstile"
)

const (
	maxConnections = 4096 // of HTTP, in all
	maxPerAddress  = 128  // of one address, or of a /64 of IPv6; trusted proxies, and any on this machine or in its private network, may have all
)

// connections bounds how many HTTP connections are open: each costs memory before a byte has come by it. It stands at
// http.Server's ConnState and not before its listener, so that what is being answered outlives the listener.
type connections struct {
	count *turnstile.Count

	mu     sync.Mutex
	ending bool                      // guarded by mu
	open   map[net.Conn]netip.Prefix // guarded by mu
	fresh  map[net.Conn]bool         // those of open by which nothing came yet; guarded by mu
}

func newConnections(total, perAddress int, proxies remote.Proxies) *connections {
	free := func(ip netip.Addr) bool { // a proxy's connections are its visitors'
		return ip.IsLoopback() || ip.IsPrivate() || proxies.Trusts(ip)
	}
	return &connections{count: turnstile.NewCount(total, perAddress, free), open: map[net.Conn]netip.Prefix{}, fresh: map[net.Conn]bool{}}
}

// changed is an http.Server's ConnState. It closes a new connection that is one too many.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		if !c.add(conn, turnstile.Source(conn.RemoteAddr())) {
			_ = conn.Close() // whoever it was gets no answer
		}
	case http.StateActive:
		c.mu.Lock()
		delete(c.fresh, conn)
		c.mu.Unlock()
	case http.StateClosed, http.StateHijacked:
		c.remove(conn)
	}
}

// endFresh closes the connections by which nothing came, now and from now on. Browsers open some in advance, and
// http.Server's Shutdown would wait five seconds for each.
func (c *connections) endFresh() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ending = true
	for conn := range c.fresh {
		_ = conn.Close() // nobody waits for an answer
	}
}

func (c *connections) add(conn net.Conn, from netip.Prefix) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending || !c.count.Enter(from) {
		return false
	}
	c.open[conn], c.fresh[conn] = from, true
	return true
}

func (c *connections) remove(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	from, ok := c.open[conn]
	if !ok {
		return
	}
	delete(c.open, conn)
	delete(c.fresh, conn)
	c.count.Leave(from)
}

// refusals counts by the bound that was reached.
func (c *connections) refusals() map[string]uint64 {
	r := c.count.Refused()
	return map[string]uint64{"total": r.Total, "address": r.Address}
}
