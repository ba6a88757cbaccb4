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
	allocateWithin = 10 * time.Second // a connection that has no allocation by then is closed
	writeWithin    = 10 * time.Second // and one that takes nothing for so long
	pauseOnFault   = 10 * time.Millisecond
)

// packets is a UDP socket of which the library sees what the filter admits.
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
		case err != nil: // of one packet; the library would stop at it for good
			time.Sleep(pauseOnFault)
		case c.s.judge(buf[:n], from, c.LocalAddr()) == admitted:
			return n, from, nil
		}
	}
}

// streams is a listener for connections over TCP or TLS.
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

// stream is a connection of which the library sees whole messages that the filter admits. The first that cannot be one is its end,
// since after it nobody knows where the next begins.
type stream struct {
	net.Conn
	s     *Server
	in    *bufio.Reader
	began time.Time
}

var errNoMessage = errors.New("what came is no TURN message")

// Read gives one message (RFC 8656, section 3.4 and 12.4: channel data is padded on a stream).
func (c *stream) Read(buf []byte) (int, error) {
	for {
		deadline := c.began.Add(allocateWithin)
		if c.s.allocated(clientOf(c.RemoteAddr(), c.LocalAddr())) {
			deadline = time.Now().Add(c.s.cfg.Idle)
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
			return 0, errNoMessage
		}
		if _, err := io.ReadFull(c.in, buf[:size]); err != nil {
			return 0, err
		}
		switch c.s.judge(buf[:size], c.RemoteAddr(), c.LocalAddr()) {
		case admitted:
			return size, nil
		case malformed:
			return 0, errNoMessage
		}
	}
}

// next is the size of the message that comes next; more than maxPacket of what is none.
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
		if binary.BigEndian.Uint32(head[4:]) == cookie {
			return headerLen + length, nil
		}
	case 1:
		return 4 + (length+3)&^3, nil
	}
	return maxPacket + 1, nil
}

// Write sends a message, or is the connection's end: part of one is of no use.
func (c *stream) Write(data []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(data)
	if err != nil {
		_ = c.Close() // the error is told already
	}
	return n, err
}

func (s *Server) allocated(c client) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held[c] != nil
}
