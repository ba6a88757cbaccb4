package ports

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// maxHops is how many of the nearest hops of an X-Forwarded-For are read.
const maxHops = 32

// Proxies are the networks of reverse proxies whose X-Forwarded-For, X-Forwarded-Host, X-Forwarded-Proto and Forwarded
// are trusted.
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

// Trust reports whether a is the address of a trusted proxy.
func (p Proxies) Trust(a netip.Addr) bool {
	return slices.ContainsFunc(p, func(prefix netip.Prefix) bool { return prefix.Contains(a) })
}

// ClientAddr returns the address that r comes from: the peer's or, when the peer is a trusted proxy, one of
// X-Forwarded-For. Each proxy appends the address of its own peer, so the list is read from its end: the first address
// that is no trusted proxy's is the client's, and the client may have forged all before it. The address is invalid when
// r has none.
func (p Proxies) ClientAddr(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	addr := plain(peer.Addr())
	hops := forwarded(r.Header)
	for i := len(hops) - 1; i >= 0 && p.Trust(addr); i-- {
		hop, ok := parseHop(hops[i])
		if !ok { // the proxy's peer had no address: all such clients count as one
			return addr
		}
		addr = hop
	}
	return addr
}

// IgnoresForwarded reports whether r has an X-Forwarded-For that is not trusted although it comes from this machine or
// a private network: most likely from a proxy that was not configured. From elsewhere it is most likely forged.
func (p Proxies) IgnoresForwarded(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || r.Header.Get("X-Forwarded-For") == "" {
		return false
	}
	a := plain(peer.Addr())
	return (a.IsLoopback() || a.IsPrivate()) && !p.Trust(a)
}

// forwarded returns the nearest hops of all X-Forwarded-For headers, which are one list, the nearest last.
func forwarded(h http.Header) []string {
	rest := strings.Join(h.Values("X-Forwarded-For"), ",")
	var hops []string
	for len(hops) < maxHops && rest != "" {
		i := strings.LastIndexByte(rest, ',')
		hops = append(hops, strings.TrimSpace(rest[i+1:]))
		rest = rest[:max(i, 0)]
	}
	slices.Reverse(hops)
	return hops
}

// parseHop reads an address, with or without a port.
func parseHop(text string) (netip.Addr, bool) {
	if a, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return plain(a), true
	}
	if a, err := netip.ParseAddrPort(text); err == nil {
		return plain(a.Addr()), true
	}
	return netip.Addr{}, false
}

// ClientNetwork returns the network that counts as one client address: an IPv4 address, or the /64 of an IPv6 address.
// It is the zero Prefix, which is not to be counted, for loopback and invalid addresses.
func ClientNetwork(a netip.Addr) netip.Prefix {
	if !a.IsValid() || a.IsLoopback() {
		return netip.Prefix{}
	}
	return network(a)
}
