package portfilter

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

const (
	frameHeader = 2   // bytes of a frame's length (RFC 4571, section 2)
	maxWaiting  = 256 // unauthenticated TCP connections
)

// errRefused ends an unauthenticated connection with anything but a binding request.
var errRefused = errors.New("refused by the filter")

// Listener returns a listener whose connections read only the frames (RFC 4571) that pass. A connection that begins
// with anything but a peer's binding request fails to read. A connection beyond maxWaiting unauthenticated ones is
// closed.
func (f *Filter) Listener(l net.Listener) net.Listener { return &listener{Listener: l, filter: f} }

type listener struct {
	net.Listener
	filter  *Filter
	waiting atomic.Int64
}

func (l *listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.waiting.Add(1) <= maxWaiting {
			return &stream{Conn: conn, filter: l.filter, waiting: &l.waiting, flow: &flow{}}, nil
		}
		l.waiting.Add(-1)
		l.filter.drop(tooManyUnauthenticated)
		_ = conn.Close() // nothing was sent yet
	}
}

// stream is a connection. One goroutine reads at a time.
type stream struct {
	net.Conn
	filter  *Filter
	waiting *atomic.Int64 // counts it until it is authenticated or closed
	waited  sync.Once

	frame [frameHeader + maxPacket]byte // owned by Read, with rest
	rest  []byte                        // of frame, not read yet

	flow *flow // filter.mu guards the pointer too
}

// Read returns frames that pass, with their lengths.
func (s *stream) Read(p []byte) (int, error) {
	for len(s.rest) == 0 {
		size, err := s.next()
		if err != nil {
			return 0, err
		}
		pass, err := s.filter.receiveFrame(s, s.frame[frameHeader:frameHeader+size])
		if err != nil {
			return 0, err
		}
		if pass {
			s.rest = s.frame[:frameHeader+size]
		}
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// next reads a frame and returns the size of its payload. A size that no publisher sends ends the connection.
func (s *stream) next() (size int, err error) {
	if _, err := io.ReadFull(s.Conn, s.frame[:frameHeader]); err != nil {
		return 0, err
	}
	size = int(binary.BigEndian.Uint16(s.frame[:]))
	if size == 0 || size > maxPacket {
		s.filter.drop(badFrame)
		return 0, errRefused
	}
	_, err = io.ReadFull(s.Conn, s.frame[frameHeader:frameHeader+size])
	return size, err
}

// receiveFrame reports whether p passes. The error ends an unauthenticated connection.
func (f *Filter) receiveFrame(s *stream, p []byte) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	claimed, why := f.check(s.flow, p, f.now())
	if why == passed && claimed != nil {
		if s.flow.peer != nil {
			s.flow.peer.removeFlow(s.flow)
		}
		s.flow = &flow{}
		why = claimed.addFlow(s.flow)
	}
	if why == passed {
		return true, nil
	}
	f.drop(why)
	if !s.flow.authenticated || s.flow.removed {
		return false, errRefused
	}
	return false, nil
}

// Write sends one frame, as Pion writes them. It drops binding requests, as PacketConn does.
func (s *stream) Write(p []byte) (int, error) {
	if len(p) < frameHeader {
		return s.Conn.Write(p)
	}
	message := p[frameHeader:]
	if isBinding(message, bindingRequest) {
		return len(p), nil
	}
	if response, encrypted := isBinding(message, bindingSuccess), isEncrypted(message); response || encrypted {
		s.filter.mu.Lock()
		s.flow.sent(response, encrypted)
		authenticated := s.flow.authenticated
		s.filter.mu.Unlock()
		if authenticated {
			s.stopWaiting()
		}
	}
	return s.Conn.Write(p)
}

func (s *stream) Close() error {
	s.stopWaiting()
	s.filter.mu.Lock()
	if s.flow.peer != nil {
		s.flow.peer.removeFlow(s.flow)
	}
	s.filter.mu.Unlock()
	return s.Conn.Close()
}

func (s *stream) stopWaiting() { s.waited.Do(func() { s.waiting.Add(-1) }) }
