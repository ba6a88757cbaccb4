package ports

import (
	"net/http"
	"net/netip"
	"strings"
)

// Forwarded returns the scheme and the host, with its port, that the client of r asked for, as a trusted proxy says: in
// X-Forwarded-Host and X-Forwarded-Proto, else in Forwarded (RFC 7239). Either is empty where the proxy does not name
// it, and both are where the peer is no trusted proxy. Of a list the last entry counts, which the nearest proxy wrote.
func (p Proxies) Forwarded(r *http.Request) (scheme, host string) {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !p.Trust(plain(peer.Addr())) {
		return "", ""
	}
	if host = lastEntry(r.Header, "X-Forwarded-Host"); host != "" {
		return strings.ToLower(lastEntry(r.Header, "X-Forwarded-Proto")), host
	}
	for _, pair := range strings.Split(lastEntry(r.Header, "Forwarded"), ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
		value = strings.Trim(value, `"`)
		switch strings.ToLower(name) {
		case "host":
			host = value
		case "proto":
			scheme = strings.ToLower(value)
		}
	}
	return scheme, host
}

// lastEntry returns the last entry of all headers of a name, which are one list.
func lastEntry(h http.Header, name string) string {
	list := strings.Join(h.Values(name), ",")
	return strings.TrimSpace(list[strings.LastIndexByte(list, ',')+1:])
}
