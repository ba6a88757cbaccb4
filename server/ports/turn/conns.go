package turn

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"time"
)

const (
	allocateTimeout = 10 * time.Second // a connection without an allocation by then is closed
	writeTimeout    = 10 * time.Second // a connection that reads nothing for so long is closed
	errorPause      = 10 * time.Millisecond
)

// packets is a UDP socket whose packets pass the filter before Pion reads them.
type packets struct {
	net.PacketConn
	s *Server
}

func (c *packets) ReadFrom(buf []byte) (int, net.Addr, error) {
	for {
		n, from, err := c.PacketConn.ReadFrom(buf)
		switch {
		case errors.Is(err, net.ErrClosed):
			return 0, nil, err
		case err != nil: // of one packet; Pion would stop reading for good
			time.Sleep(errorPause)
		case c.s.filter(buf[:n], from, c.LocalAddr()) == passed:
			return n, from, nil
		}
	}
}

// streams is a listener whose connections pass the filter.
type streams struct {
	net.Listener
	s *Server
}

func (l *streams) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &stream{Conn: c, s: l.s, in: bufio.NewReaderSize(c, 2*maxPacket), began: time.Now()}, nil
}

// stream is a connection over TCP or TLS. Pion reads whole messages that pass the filter. A malformed message ends the
// connection, since the next one's start is unknown.
type stream struct {
	net.Conn
	s     *Server
	in    *bufio.Reader
	began time.Time
}

var errMalformed = errors.New("malformed TURN message")

// Read returns one message (RFC 8656, section 3.4 and 12.4: channel data is padded on a stream).
func (c *stream) Read(buf []byte) (int, error) {
	for {
		deadline := c.began.Add(allocateTimeout)
		if c.s.hasAllocation(fiveTupleOf(c.RemoteAddr(), c.LocalAddr())) {
			deadline = time.Now().Add(c.s.cfg.IdleTimeout)
		}
		if err := c.SetReadDeadline(deadline); err != nil {
			return 0, err
		}
		size, err := c.next()
		if err != nil {
			return 0, err
		}
		if size > min(maxPacket, len(buf)) {
			c.s.drops[malformed].Add(1)
			return 0, errMalformed
		}
		if _, err := io.ReadFull(c.in, buf[:size]); err != nil {
			return 0, err
		}
		switch c.s.filter(buf[:size], c.RemoteAddr(), c.LocalAddr()) {
		case passed:
			return size, nil
		case malformed:
			return 0, errMalformed
		}
	}
}

// next returns the size of the next message, or more than maxPacket when it is malformed.
func (c *stream) next() (int, error) {
	head, err := c.in.Peek(4)
	if err != nil {
		return 0, err
	}
	length := int(binary.BigEndian.Uint16(head[2:]))
	switch head[0] >> 6 {
	case 0:
		head, err := c.in.Peek(8)
		if err != nil {
			return 0, err
		}
		if binary.BigEndian.Uint32(head[4:]) == magicCookie {
			return headerLen + length, nil
		}
	case 1:
		return 4 + (length+3)&^3, nil
	}
	return maxPacket + 1, nil
}

// Write sends a message. An error ends the connection: part of a message is of no use.
func (c *stream) Write(data []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(data)
	if err != nil {
		_ = c.Close() // the error is returned already
	}
	return n, err
}

func (s *Server) hasAllocation(c fiveTuple) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.allocations[c] != nil
}
