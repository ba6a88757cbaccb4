package testkit

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"
)

// RTSPCamera is a network camera on this machine: an RTSP server (RFC 2326) that sends an MPEG transport stream over
// TCP, in the time that it lasts, and then closes the connection.
type RTSPCamera struct {
	Address string // host and port

	stream   []byte // MPEG-TS
	lasts    time.Duration
	password string // NAME:PASSWORD; optional

	mu      sync.Mutex
	clients []net.Conn // guarded by mu
}

// NewRTSPCamera starts a camera that runs until the test ends.
func NewRTSPCamera(t testing.TB, stream []byte, lasts time.Duration, password string) *RTSPCamera {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &RTSPCamera{Address: listener.Addr().String(), stream: stream, lasts: lasts, password: password}
	var running sync.WaitGroup
	running.Add(1)
	go func() {
		defer running.Done()
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			c.mu.Lock()
			c.clients = append(c.clients, conn)
			c.mu.Unlock()
			running.Add(1)
			go func() {
				defer running.Done()
				defer conn.Close()
				c.serve(conn)
			}()
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		c.mu.Lock()
		for _, conn := range c.clients {
			conn.Close()
		}
		c.mu.Unlock()
		running.Wait()
	})
	return c
}

// Connections returns how many connections there have been.
func (c *RTSPCamera) Connections() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.clients)
}

// serve answers the requests of one connection up to PLAY, and then sends the stream.
func (c *RTSPCamera) serve(conn net.Conn) {
	const description = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n" +
		"m=video 0 RTP/AVP 33\r\na=control:track\r\n"
	requests := textproto.NewReader(bufio.NewReader(conn))
	for {
		line, err := requests.ReadLine()
		if err != nil {
			return
		}
		header, err := requests.ReadMIMEHeader()
		if err != nil {
			return
		}
		method, _, _ := strings.Cut(line, " ")
		status, more := "200 OK", ""
		switch {
		case method == "OPTIONS":
			more = "Public: DESCRIBE, SETUP, PLAY\r\n\r\n"
		case c.password != "" && header.Get("Authorization") !=
			"Basic "+base64.StdEncoding.EncodeToString([]byte(c.password)):
			status, more = "401 Unauthorized", "WWW-Authenticate: Basic realm=\"camera\"\r\n\r\n"
		case method == "DESCRIBE":
			more = fmt.Sprintf("Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s", len(description),
				description)
		case method == "SETUP" && !strings.Contains(header.Get("Transport"), "TCP"):
			status, more = "461 Unsupported Transport", "\r\n"
		case method == "SETUP":
			more = "Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n"
		default:
			more = "Session: 1\r\n\r\n"
		}
		if _, err := fmt.Fprintf(conn, "RTSP/1.0 %s\r\nCSeq: %s\r\n%s", status, header.Get("CSeq"), more); err != nil {
			return
		}
		if method == "PLAY" {
			c.play(conn)
			return
		}
	}
}

// play sends the stream as RTP (RFC 3551, payload type 33) in the frames of RFC 2326, section 10.12.
func (c *RTSPCamera) play(conn net.Conn) {
	const most = 7 * 188 // bytes in a packet
	packets := (len(c.stream) + most - 1) / most
	for i := range packets {
		part := c.stream[i*most : min(len(c.stream), (i+1)*most)]
		packet := binary.BigEndian.AppendUint16([]byte{'$', 0}, uint16(12+len(part)))
		packet = binary.BigEndian.AppendUint16(append(packet, 0x80, 33), uint16(i))
		packet = binary.BigEndian.AppendUint32(packet, uint32(float64(i)/float64(packets)*c.lasts.Seconds()*Clock))
		packet = append(append(packet, 0, 0, 0, 1), part...)
		if _, err := conn.Write(packet); err != nil {
			return
		}
		time.Sleep(c.lasts / time.Duration(packets))
	}
}
