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

// margin is the time before an allocation's end in which nothing may be added to it: Pion's timers of both would
// collide.
const margin = 2 * time.Second

var errExpired = errors.New("the allocation has ended")

// relay is the relayed transport address of an allocation: a socket on loopback, out of reach of other hosts. Packets
// to or from any port but the media port are dropped.
type relay struct {
	*net.UDPConn
	s         *Server
	port      uint16
	began     time.Time
	closed    chan struct{} // by Close
	closeOnce sync.Once

	// guarded by s.mu
	user      string
	tuple     fiveTuple
	expires   time.Time     // unless it is refreshed
	requested time.Duration // lifetime of the last refresh request, authenticated or not
	ending    bool
}

// Validate is part of pion.RelayAddressGenerator.
func (s *Server) Validate() error { return nil }

// AllocatePacketConn opens a relay within Config.Allocations. A client cannot choose its port.
func (s *Server) AllocatePacketConn(_ string, wanted int) (net.PacketConn, net.Addr, error) {
	if wanted != 0 {
		return nil, nil, errors.New("a port cannot be chosen")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.relays) >= s.cfg.Allocations {
		s.drops[overQuota].Add(1)
		return nil, nil, errors.New("the limit of allocations is reached")
	}
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, nil, fmt.Errorf("open a relay: %w", err)
	}
	addr := conn.LocalAddr()
	port := uint16(addr.(*net.UDPAddr).Port)
	r := &relay{UDPConn: conn, s: s, port: port, began: time.Now(), closed: make(chan struct{})}
	s.relays[r.port] = r
	return r, addr, nil
}

// AllocateConn refuses to relay TCP (RFC 6062), which media does not use.
func (s *Server) AllocateConn(string, int) (net.Conn, net.Addr, error) {
	return nil, nil, errors.New("TCP is not relayed")
}

// WriteTo sends to the media port. Packets to other peers are dropped without an error, which would end the allocation.
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

// ReadFrom waits for a packet from the media port. Its error ends the allocation.
func (r *relay) ReadFrom(buf []byte) (int, net.Addr, error) {
	for {
		if r.closing() {
			return 0, nil, r.wait()
		}
		now := time.Now()
		deadline := now.Add(r.s.cfg.IdleTimeout)
		if end := r.began.Add(r.s.cfg.MaxLifetime); end.Before(deadline) {
			deadline = end
		}
		if err := r.SetReadDeadline(deadline); err != nil {
			return 0, nil, err
		}
		if r.closing() { // expire was called meanwhile
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

// expire makes ReadFrom end the allocation. It is called with s.mu.
func (r *relay) expire() {
	r.ending = true
	_ = r.SetReadDeadline(time.Now()) // fails when it is closed
}

// wait returns after margin, when requests for this allocation that were under way are done.
func (r *relay) wait() error {
	select {
	case <-time.After(margin):
	case <-r.closed:
	}
	return errExpired
}

// Close frees the relay's place.
func (r *relay) Close() error {
	r.closeOnce.Do(func() {
		close(r.closed)
		r.s.mu.Lock()
		delete(r.s.relays, r.port)
		if r.s.allocations[r.tuple] == r {
			delete(r.s.allocations, r.tuple)
		}
		r.s.mu.Unlock()
	})
	return r.UDPConn.Close()
}
