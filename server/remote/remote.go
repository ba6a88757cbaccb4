// Package remote tells whose a request is by the network address that it comes from, also by way of proxies that may be trusted.
package remote

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

// mostHops of an X-Forwarded-For are looked at, from the nearest.
const mostHops = 32

// Proxies are the addresses that tell the truth in X-Forwarded-For.
type Proxies []netip.Prefix

// ParseProxies reads addresses, such as 127.0.0.1, and networks, such as 10.0.0.0/8.
func ParseProxies(texts []string) (Proxies, error) {
	var p Proxies
	for _, text := range texts {
		prefix, err := netip.ParsePrefix(text)
		if addr, single := netip.ParseAddr(text); single == nil && addr.Zone() == "" {
			prefix, err = addr.Unmap().Prefix(addr.Unmap().BitLen())
		}
		if err != nil {
			return nil, fmt.Errorf("%q: use an address, such as 127.0.0.1, or a network, such as 10.0.0.0/8", text)
		}
		p = append(p, prefix.Masked())
	}
	return p, nil
}

// Trusts says whether a is the address of such a proxy.
func (p Proxies) Trusts(a netip.Addr) bool {
	for _, prefix := range p {
		if prefix.Contains(a) {
			return true
		}
	}
	return false
}

// Client is where r comes from: the peer's address or, where that is a trusted proxy's, what it says in X-Forwarded-For. Each
// proxy adds the address that it heard from at the end, so the list is read from there: the first address that is no trusted proxy's
// is the client, and what stands before it was the client's to write.
func (p Proxies) Client(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	at := clean(peer.Addr())
	hops := forwarded(r.Header)
	for i := len(hops) - 1; i >= 0 && p.Trusts(at); i-- {
		hop, ok := parseHop(hops[i])
		if !ok { // a trusted proxy heard from somebody without an address: all of those count as one
			return at
		}
		at = hop
	}
	return at
}

// Ignored says whether r bears an X-Forwarded-For that is not believed, from this machine or a network of its own: most likely of a proxy that
// was not named. From elsewhere it is most likely a lie.
func (p Proxies) Ignored(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || r.Header.Get("X-Forwarded-For") == "" {
		return false
	}
	a := clean(peer.Addr())
	return (a.IsLoopback() || a.IsPrivate()) && !p.Trusts(a)
}

// forwarded gives the nearest hops of all X-Forwarded-For headers, which are one list.
func forwarded(h http.Header) []string {
	all := strings.Join(h.Values("X-Forwarded-For"), ",")
	var hops []string
	for len(hops) < mostHops && all != "" {
		i := strings.LastIndexByte(all, ',')
		hops = append(hops, strings.TrimSpace(all[i+1:]))
		all = all[:max(i, 0)]
	}
	for i, j := 0, len(hops)-1; i < j; i, j = i+1, j-1 {
		hops[i], hops[j] = hops[j], hops[i]
	}
	return hops
}

// parseHop reads an address, with or without a port.
func parseHop(text string) (netip.Addr, bool) {
	if a, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return clean(a), true
	}
	if a, err := netip.ParseAddrPort(text); err == nil {
		return clean(a.Addr()), true
	}
	return netip.Addr{}, false
}

func clean(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// Network is what counts as one visitor's address: an IPv4 address, or the /64 of an IPv6 address, of which a household has at least
// one whole. The zero value, for loopback and what is no address, is not to be counted: this machine's own.
func Network(a netip.Addr) netip.Prefix {
	if !a.IsValid() || a.IsLoopback() {
		return netip.Prefix{}
	}
	bits := 32
	if a.Is6() {
		bits = 64
	}
	prefix, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return prefix
}
