package ports

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/pion/sdp/v3"
)

// Type preferences are those of RFC 8445, section 5.1.2.2, with 100 for a server-reflexive candidate: below the host
// candidates. TCP is below UDP.
const (
	publicUDP = 100 << 24
	publicTCP = 80 << 24
)

// PublicCandidates returns candidates for the public addresses, beside the host candidates that Pion finds: a router or
// cloud maps them to this host, ports unchanged (1:1 NAT). They name no related address, since that reveals the private
// network.
func (m *Media) PublicCandidates() []sdp.Attribute {
	if m.publicIPs == nil {
		return nil
	}
	var list []sdp.Attribute
	for i, ip := range m.publicIPs() {
		own := func(a netip.AddrPort) bool { return a.Addr() == ip }
		if !ip.IsValid() || slices.ContainsFunc(m.addrs, own) {
			continue
		}
		rank := (65535-i)<<8 | 255 // component 1
		unspecified := "0.0.0.0"
		if ip.Is6() {
			unspecified = "::"
		}
		line := func(foundation int, transport string, priority int, port int, more string) sdp.Attribute {
			return sdp.NewAttribute(sdp.AttrKeyCandidate, fmt.Sprintf("%d 1 %s %d %s %d typ srflx raddr %s rport 9%s",
				foundation, transport, priority|rank, ip, port, unspecified, more))
		}
		list = append(list, line(9000+2*i, "udp", publicUDP, int(m.addrs[0].Port()), ""))
		if tcp := m.TCPAddr(); tcp != nil {
			list = append(list, line(9001+2*i, "tcp", publicTCP, tcp.Port, " tcptype passive"))
		}
	}
	return list
}
