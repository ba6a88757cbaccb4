package portfilter

import (
	"net"
	"net/netip"
	"testing"
	"time"
)

// socket is a UDP socket on the loopback.
func socket(t testing.TB) (*net.UDPConn, netip.AddrPort) {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(2 * time.Minute))
	addr := c.LocalAddr().(*net.UDPAddr).AddrPort()
	return c, netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
}

// authenticated returns a client's socket that a filtered socket of the server has answered.
func authenticated(t testing.TB, f *at) (client *net.UDPConn, server net.PacketConn) {
	t.Helper()
	client, _ = socket(t)
	under, _ := socket(t)
	server = f.PacketConn(under)
	send(t, client, server, srtp(7, 100))
	send(t, client, server, request("ours"))
	buf := make([]byte, maxPacket)
	n, from, err := server.ReadFrom(buf)
	if err != nil || n != len(request("ours")) {
		t.Fatalf("read %d bytes, %v, want the request", n, err)
	}
	for _, answer := range [][]byte{request("theirs"), response()} {
		if n, err := server.WriteTo(answer, from); n != len(answer) || err != nil {
			t.Fatalf("wrote %d bytes: %v", n, err)
		}
	}
	n, err = client.Read(buf)
	if err != nil || n != len(response()) {
		t.Fatalf("read %d bytes, %v, want the response alone", n, err)
	}
	return client, server
}

func send(t testing.TB, from *net.UDPConn, to net.PacketConn, p []byte) {
	t.Helper()
	if _, err := from.WriteTo(p, to.LocalAddr()); err != nil {
		t.Fatal(err)
	}
}

func TestUDP(t *testing.T) {
	f := newFilter()
	client, server := authenticated(t, f)
	send(t, client, server, response())
	send(t, client, server, srtp(7, 200))
	n, _, err := server.ReadFrom(make([]byte, maxPacket))
	if err != nil || n != len(srtp(7, 200)) {
		t.Errorf("read %d bytes: %v", n, err)
	}
	if got := f.counted(); got["stun-no-request"] != 1 || got["stranger"] != 1 {
		t.Errorf("counted %v", got)
	}
}

// steady are packets of a running session, and of others.
var steady = map[string][]byte{
	"media": srtp(7, 1100), "report": srtcp(200, 7, 60), "data": record(applicationData, 1, make([]byte, 60)),
	"request":  request("ours"),
	"response": response(), "unknown request": request("else"), "noise": append([]byte{99}, make([]byte, 200)...),
}

func TestNothingIsAllocated(t *testing.T) {
	for name, p := range steady {
		f := newFilter()
		f.authenticate(t, alice, "ours")
		n := testing.AllocsPerRun(100, func() {
			f.receive(alice, p)
			f.receive(mallory, steady["noise"])
			f.send(alice, p)
		})
		if n > 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkReceive(b *testing.B) {
	for name, p := range steady {
		b.Run(name, func(b *testing.B) {
			f := newFilter()
			f.now = time.Now
			f.authenticate(b, alice, "ours")
			b.ReportAllocs()
			for b.Loop() {
				f.receive(alice, p)
			}
		})
	}
}

// BenchmarkRead reads packets from a socket with the filter and without.
func BenchmarkRead(b *testing.B) {
	read := func(b *testing.B, client *net.UDPConn, server net.PacketConn) {
		buf := make([]byte, maxPacket)
		p, to := srtp(7, 1100), server.LocalAddr().(*net.UDPAddr).AddrPort()
		b.ReportAllocs()
		for b.Loop() {
			if _, err := client.WriteToUDPAddrPort(p, to); err != nil {
				b.Fatal(err)
			}
			if _, _, err := server.ReadFrom(buf); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("filtered", func(b *testing.B) {
		client, server := authenticated(b, newFilter())
		read(b, client, server)
	})
	b.Run("bare", func(b *testing.B) {
		client, _ := socket(b)
		server, _ := socket(b)
		read(b, client, server)
	})
}
