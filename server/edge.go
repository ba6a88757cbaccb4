package server

import (
	"net"
	"net/netip"
	"slices"
	"strconv"

	"github.com/pion/ice/v2"
	"github.com/pion/sdp/v3"
)

// edge is how the media ports are found from outside: at addresses that a router or a cloud maps to this machine (1:1 NAT,
// ports as they are), beside the machine's own. The zero edge has none.
type edge struct {
	public func() []netip.Addr // asked for each answer, since they may change; nil is none
	own    []netip.Addr        // that are told anyway
	udp    uint16              // ports
	tcp    uint16              // 0 is none
}

func newEdge(public func() []netip.Addr, mux ice.UDPMux, tcp *mediaTCP) edge {
	e := edge{public: public}
	for _, a := range mux.GetListenAddresses() {
		if udp, ok := a.(*net.UDPAddr); ok {
			e.own = append(e.own, udp.AddrPort().Addr().Unmap())
			e.udp = udp.AddrPort().Port()
		}
	}
	if tcp != nil {
		e.tcp = tcp.addr().AddrPort().Port()
	}
	return e
}

// Priorities are below those of the machine's own addresses (RFC 8445, section 5.1.2.2, with 100 for a reflexive address),
// and of TCP below those of UDP.
const (
	publicUDP = 100 << 24
	publicTCP = 80 << 24
)

// candidates are those of the public addresses. They name no related address: it is the network's own business.
func (e edge) candidates() []sdp.Attribute {
	if e.public == nil {
		return nil
	}
	var list []sdp.Attribute
	for i, ip := range e.public() {
		if !ip.IsValid() || slices.Contains(e.own, ip) {
			continue
		}
		rank := (65535-i)<<8 | 255 // component 1
		any := "0.0.0.0"
		if ip.Is6() {
			any = "::"
		}
		line := func(foundation int, transport string, priority int, port uint16, more string) sdp.Attribute {
			return sdp.NewAttribute(sdp.AttrKeyCandidate, strconv.Itoa(foundation)+" 1 "+transport+" "+strconv.Itoa(priority|rank)+" "+
				ip.String()+" "+strconv.Itoa(int(port))+" typ srflx raddr "+any+" rport 9"+more)
		}
		list = append(list, line(9000+2*i, "udp", publicUDP, e.udp, ""))
		if e.tcp != 0 {
			list = append(list, line(9001+2*i, "tcp", publicTCP, e.tcp, " tcptype passive"))
		}
	}
	return list
}
