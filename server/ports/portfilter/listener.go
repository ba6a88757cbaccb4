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
	maxWaiting  = 256 // TCP connections that nobody has proved yet
)

// errRefused ends a connection that a stranger uses for something else than to prove itself.
var errRefused = errors.New("refused by the filter")

// Listener gives connections of l that read as if only those frames came by them (RFC 4571) that may pass. One that
// begins with anything but a guest's request fails to read, and one that comes while too many wait to be proved is
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
		l.filter.drop(tooManyStrangers)
		_ = conn.Close() // nobody hears of it
	}
}

// stream is a connection. One goroutine reads at a time.
type stream struct {
	net.Conn
	filter  *Filter
	waiting *atomic.Int64 // counts it until it is proved or closed
	waited  sync.Once

	frame [frameHeader + maxPacket]byte // owned by Read, with rest
	rest  []byte                        // of frame, not given yet

	flow *flow // filter.mu guards the pointer too
}

// Read gives frames that may pass, with their lengths.
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

// next reads a frame and gives the size of what is in it. A length that no publisher sends ends the connection.
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

// receiveFrame says whether p may pass. The error ends a connection of a stranger's.
func (f *Filter) receiveFrame(s *stream, p []byte) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	claims, why := f.judge(s.flow, p, f.now())
	if why == passed && claims != nil {
		if s.flow.guest != nil {
			s.flow.guest.lose(s.flow)
		}
		s.flow = &flow{}
		why = claims.take(s.flow)
	}
	if why == passed {
		return true, nil
	}
	f.drop(why)
	if !s.flow.known || s.flow.over {
		return false, errRefused
	}
	return false, nil
}

// Write sends one frame, which is how Pion writes them. Requests are left out, as PacketConn does.
func (s *stream) Write(p []byte) (int, error) {
	if len(p) < frameHeader {
		return s.Conn.Write(p)
	}
	message := p[frameHeader:]
	if isBinding(message, bindingRequest) {
		return len(p), nil
	}
	if response, sealed := isBinding(message, bindingSuccess), isSealed(message); response || sealed {
		s.filter.mu.Lock()
		s.flow.sent(response, sealed)
		proved := s.flow.known
		s.filter.mu.Unlock()
		if proved {
			s.waitNoMore()
		}
	}
	return s.Conn.Write(p)
}

func (s *stream) Close() error {
	s.waitNoMore()
	s.filter.mu.Lock()
	if s.flow.guest != nil {
		s.flow.guest.lose(s.flow)
	}
	s.filter.mu.Unlock()
	return s.Conn.Close()
}

func (s *stream) waitNoMore() { s.waited.Do(func() { s.waiting.Add(-1) }) }
