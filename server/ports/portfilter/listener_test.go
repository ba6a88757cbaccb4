package portfilter

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"
)

func frame(p []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(p))), p...)
}

// connect returns both ends of a TCP connection, the server's behind the filter.
func connect(t *testing.T, l net.Listener) (client, server net.Conn) {
	t.Helper()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	deadline := time.Now().Add(2 * time.Minute)
	_, _ = client.SetDeadline(deadline), server.SetDeadline(deadline)
	return client, server
}

func listen(t *testing.T, f *Filter) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return f.Listener(l)
}

func write(t *testing.T, c net.Conn, p []byte) {
	t.Helper()
	if _, err := c.Write(p); err != nil {
		t.Fatal(err)
	}
}

// reads checks that the server reads exactly want next.
func reads(t *testing.T, c net.Conn, want []byte) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("read %x, want %x", got, want)
	}
}

func TestTCP(t *testing.T) {
	f := newFilter()
	client, server := connect(t, listen(t, f.Filter))
	write(t, client, frame(request("ours")))
	reads(t, server, frame(request("ours")))
	write(t, server, frame(request("theirs"))) // what a lite agent does not send
	write(t, server, frame(response()))
	reads(t, client, frame(response()))

	write(t, client, join(frame(response()), frame(srtp(7, 100)), frame([]byte{99}), frame(request("ours"))))
	reads(t, server, join(frame(srtp(7, 100)), frame(request("ours"))))
	if got := f.counted(); got["stun-no-request"] != 1 || got["kind"] != 1 || len(got) != 2 {
		t.Errorf("counted %v", got)
	}
	write(t, server, frame(record(applicationData, 1, make([]byte, 40))))
	if f.peer.RecordsSent() != 1 {
		t.Errorf("%d records sent", f.peer.RecordsSent())
	}
	f.peer.Close()
	write(t, client, frame(srtp(7, 100)))
	if n, err := server.Read(make([]byte, 10)); err == nil {
		t.Errorf("read %d bytes after the peer left", n)
	}
}

func TestTCPUnauthenticated(t *testing.T) {
	for _, c := range []struct {
		name, why string
		sent      []byte
	}{
		{"media", "stranger", frame(srtp(7, 100))},
		{"for nobody", "stun-user", frame(request("else"))},
		{"media after a request without an answer", "stranger", join(frame(request("ours")), frame(srtp(7, 100)))},
		{"HTTP", "frame", []byte("GET / HTTP/1.1\r\n\r\n")},
		{"giant frame", "frame", []byte{0xff, 0xff}},
		{"empty frame", "frame", []byte{0, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFilter()
			client, server := connect(t, listen(t, f.Filter))
			write(t, client, c.sent)
			_, err := io.Copy(io.Discard, server)
			if err == nil || f.counted()[c.why] != 1 {
				t.Errorf("read until %v, counted %v", err, f.counted())
			}
			_ = server.Close()
			if len(f.peer.flows) != 0 {
				t.Error("the flow is still there")
			}
		})
	}
}

// TestTCPWaiting opens more unauthenticated connections than maxWaiting. Closed and authenticated ones make room.
func TestTCPWaiting(t *testing.T) {
	f := newFilter()
	l := listen(t, f.Filter)
	first, server := connect(t, l)
	for range maxWaiting - 1 {
		connect(t, l)
	}
	surplus, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer surplus.Close()
	accepted := make(chan net.Conn, 1)
	go func() {
		c, err := l.Accept() // closes the surplus one, and gives the next that may come
		if err == nil {
			accepted <- c
		}
	}()
	_ = surplus.SetDeadline(time.Now().Add(2 * time.Minute))
	if _, err := surplus.Read(make([]byte, 1)); err == nil {
		t.Fatal("the surplus connection may talk")
	}
	write(t, first, frame(request("ours")))
	reads(t, server, frame(request("ours")))
	write(t, server, frame(response()))
	last, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer last.Close()
	c := <-accepted
	_ = c.Close()
	if got := f.counted()["tcp-connections"]; got != 1 {
		t.Errorf("counted %v", f.counted())
	}
}
