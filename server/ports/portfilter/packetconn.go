package portfilter

import (
	"net"
	"net/netip"
)

// PacketConn gives what comes by conn and may pass. What a packet is read into must have room for 2048 bytes.
func (f *Filter) PacketConn(conn *net.UDPConn) net.PacketConn { return &packetConn{conn, f} }

type packetConn struct {
	*net.UDPConn
	filter *Filter
}

// ReadFrom gives the next packet that may pass. Nothing is allocated for those of an address that was seen before, nor
// for those that may not pass.
func (c *packetConn) ReadFrom(p []byte) (int, net.Addr, error) {
	for {
		n, from, err := c.ReadFromUDPAddrPort(p)
		if err != nil {
			return n, nil, err
		}
		if addr := c.filter.receive(netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), p[:n]); addr != nil {
			return n, addr, nil
		}
	}
}

// receive gives the address of a packet that may pass, as Pion has it, and nil for any other.
func (f *Filter) receive(from netip.AddrPort, p []byte) *net.UDPAddr {
	f.mu.Lock()
	defer f.mu.Unlock()
	fl := f.flows[from]
	claims, why := f.judge(fl, p, f.now())
	if why == passed && claims != nil {
		if fl != nil {
			fl.guest.lose(fl)
		}
		fl = &flow{key: from, addr: net.UDPAddrFromAddrPort(from)}
		if why = claims.take(fl); why == passed {
			f.flows[from] = fl
		}
	}
	if why != passed {
		f.drop(why)
		return nil
	}
	return fl.addr
}

// WriteTo sends what a server sends. A lite agent makes no requests, so those that Pion makes all the same
// are left out, and no response to them comes.
func (c *packetConn) WriteTo(p []byte, to net.Addr) (int, error) {
	if isBinding(p, bindingRequest) {
		return len(p), nil
	}
	if addr, ok := to.(*net.UDPAddr); ok {
		a := addr.AddrPort()
		c.filter.send(netip.AddrPortFrom(a.Addr().Unmap(), a.Port()), p)
	}
	return c.UDPConn.WriteTo(p, to)
}

// send notes what a packet to an address says of it: a response, that Pion has found a request of its to be a guest's.
func (f *Filter) send(to netip.AddrPort, p []byte) {
	response, sealed := isBinding(p, bindingSuccess), isSealed(p)
	if !response && !sealed {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if fl := f.flows[to]; fl != nil {
		fl.sent(response, sealed)
	}
}
