package portfilter

import (
	"net"
	"net/netip"
)

// PacketConn returns a connection that reads the packets of conn that pass. Read buffers must have 2048 bytes.
func (f *Filter) PacketConn(conn *net.UDPConn) net.PacketConn { return &packetConn{conn, f} }

type packetConn struct {
	*net.UDPConn
	filter *Filter
}

// ReadFrom returns the next packet that passes. It allocates nothing for packets of a known address, nor for dropped
// packets.
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

// receive returns the address of a packet that passes, in Pion's form, and nil for any other.
func (f *Filter) receive(from netip.AddrPort, p []byte) *net.UDPAddr {
	f.mu.Lock()
	defer f.mu.Unlock()
	fl := f.flows[from]
	claimed, why := f.check(fl, p, f.now())
	if why == passed && claimed != nil {
		if fl != nil {
			fl.peer.removeFlow(fl)
		}
		fl = &flow{key: from, addr: net.UDPAddrFromAddrPort(from)}
		if why = claimed.addFlow(fl); why == passed {
			f.flows[from] = fl
		}
	}
	if why != passed {
		f.drop(why)
		return nil
	}
	return fl.addr
}

// WriteTo sends a packet. It drops the binding requests that Pion makes although a lite agent sends none, so no
// response to them comes.
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

// send notes that a packet is sent to an address.
func (f *Filter) send(to netip.AddrPort, p []byte) {
	response, encrypted := isBinding(p, bindingSuccess), isEncrypted(p)
	if !response && !encrypted {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if fl := f.flows[to]; fl != nil {
		fl.sent(response, encrypted)
	}
}
