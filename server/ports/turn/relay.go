package turn

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// margin is the time before an allocation's end in which nothing may be added to it: the library's timers of both would
// meet.
const margin = 2 * time.Second

var errOver = errors.New("the allocation is over")

// relay is the side of an allocation that faces the media port: a socket on loopback, which nobody else can reach. Whatever is
// for or from another port is dropped.
type relay struct {
	*net.UDPConn
	s      *Server
	port   uint16
	began  time.Time
	over   chan struct{} // closed by Close
	closes sync.Once

	// guarded by s.mu
	user   string
	client client
	until  time.Time     // it lives so long unless it is refreshed
	asked  time.Duration // lifetime of the last refresh that came, good or not
	ending bool
}

// Validate is asked by the library.
func (s *Server) Validate() error { return nil }

// AllocatePacketConn opens a relay, if there is a place for it. A client cannot choose its port.
func (s *Server) AllocatePacketConn(_ string, port int) (net.PacketConn, net.Addr, error) {
	if port != 0 {
		return nil, nil, errors.New("a port cannot be chosen")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.relays) >= s.cfg.Allocations {
		s.drops[overQuota].Add(1)
		return nil, nil, errors.New("there are as many allocations as there may be")
	}
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, nil, fmt.Errorf("open a relay: %w", err)
	}
	addr := conn.LocalAddr()
	r := &relay{UDPConn: conn, s: s, port: uint16(addr.(*net.UDPAddr).Port), began: time.Now(), over: make(chan struct{})}
	s.relays[r.port] = r
	return r, addr, nil
}

// AllocateConn would relay TCP (RFC 6062), of which media makes no use.
func (s *Server) AllocateConn(string, int) (net.Conn, net.Addr, error) {
	return nil, nil, errors.New("TCP is not relayed")
}

// WriteTo sends to the media port. What is for elsewhere is dropped, which the library need not know.
func (r *relay) WriteTo(data []byte, to net.Addr) (int, error) {
	udp, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, fmt.Errorf("no UDP address: %v", to)
	}
	peer := udp.AddrPort()
	peer = netip.AddrPortFrom(peer.Addr().Unmap(), peer.Port())
	if !r.s.peers[peer] {
		r.s.drops[forbiddenPeer].Add(1)
		return len(data), nil
	}
	return r.WriteToUDPAddrPort(data, peer)
}

// ReadFrom waits for a packet of the media port's. Its error ends the allocation.
func (r *relay) ReadFrom(buf []byte) (int, net.Addr, error) {
	for {
		if r.closing() {
			return 0, nil, r.wait()
		}
		now := time.Now()
		deadline := now.Add(r.s.cfg.Idle)
		if end := r.began.Add(r.s.cfg.Life); end.Before(deadline) {
			deadline = end
		}
		if err := r.SetReadDeadline(deadline); err != nil {
			return 0, nil, err
		}
		if r.closing() { // hurry came between
			return 0, nil, r.wait()
		}
		n, from, err := r.ReadFromUDPAddrPort(buf)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			r.s.mu.Lock()
			r.ending = true
			r.s.mu.Unlock()
			continue
		}
		if err != nil {
			return 0, nil, err
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		if !r.s.peers[from] {
			r.s.drops[forbiddenPeer].Add(1)
			continue
		}
		return n, net.UDPAddrFromAddrPort(from), nil
	}
}

func (r *relay) closing() bool {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	return r.ending
}

// hurry has ReadFrom end the allocation. It is called with s.mu held.
func (r *relay) hurry() {
	r.ending = true
	_ = r.SetReadDeadline(time.Now()) // fails when it is closed
}

// wait lets pass what may still be under way for this allocation.
func (r *relay) wait() error {
	select {
	case <-time.After(margin):
	case <-r.over:
	}
	return errOver
}

// Close gives the place back.
func (r *relay) Close() error {
	r.closes.Do(func() {
		close(r.over)
		r.s.mu.Lock()
		delete(r.s.relays, r.port)
		if r.s.held[r.client] == r {
			delete(r.s.held, r.client)
		}
		r.s.mu.Unlock()
	})
	return r.UDPConn.Close()
}
