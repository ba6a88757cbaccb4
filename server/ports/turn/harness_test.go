package turn

import (
	"bytes"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http/httptest"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/logging"
	pion "github.com/pion/turn/v4"
	"go.uber.org/goleak"

	"mindflow/pipeline/testkit"
	"mindflow/server/ports"
)

const patience = 2 * time.Minute

// clock is the time of a test, which can be advanced.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

// site is a TURN server with a media port that echoes packets in capitals.
type site struct {
	*Server
	clock clock
	udp   string // addresses of TURN
	tcp   string
	tls   string
	media netip.AddrPort
	dead  sync.Map // users whose session is over
}

func start(t testing.TB, change func(*Config)) *site {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { testkit.NoLeaks(t, before) })
	s := &site{media: echo(t, bytes.ToUpper)}
	udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listen := func() net.Listener {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return ports.LimitListener(l, 50, 50)
	}
	plain, secure := listen(), listen()
	stand := httptest.NewUnstartedServer(nil)
	stand.StartTLS() // for its certificate
	stand.Close()
	s.udp, s.tcp, s.tls = udp.LocalAddr().String(), plain.Addr().String(), secure.Addr().String()
	config := &tls.Config{Certificates: stand.TLS.Certificates}
	cfg := Config{
		UDP: []net.PacketConn{udp}, TCP: []net.Listener{plain, tls.NewListener(secure, config)},
		Media: []netip.AddrPort{s.media}, Allocations: 8, PerUser: 3, MaxLifetime: time.Hour,
		Now: s.clock.now, Log: slog.New(slog.DiscardHandler), Pion: logging.NewDefaultLoggerFactory(),
		UserActive: func(user string) bool { _, over := s.dead.Load(user); return !over },
	}
	if change != nil {
		change(&cfg)
	}
	if s.Server, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// echo is a UDP port that answers until the test ends.
func echo(t testing.TB, answer func([]byte) []byte) netip.AddrPort {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFromUDP(buf)
			if err != nil {
				return
			}
			_, _ = conn.WriteToUDP(answer(buf[:n]), from)
		}
	}()
	t.Cleanup(func() { conn.Close(); <-done })
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// visit connects a client, which is closed at the test's end.
func (s *site) visit(t testing.TB, network string, c Credentials) *pion.Client {
	t.Helper()
	client, hangUp := s.visiting(t, network, c)
	t.Cleanup(func() { client.Close(); hangUp() })
	return client
}

func (s *site) visiting(t testing.TB, network string, c Credentials) (client *pion.Client, hangUp func()) {
	t.Helper()
	var conn net.PacketConn
	address := s.udp
	switch network {
	case "udp":
		local, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		conn = local
	case "tcp", "tls":
		address = map[string]string{"tcp": s.tcp, "tls": s.tls}[network]
		stream, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if network == "tls" {
			stream = tls.Client(stream, &tls.Config{InsecureSkipVerify: true})
		}
		conn = pion.NewSTUNConn(stream)
	}
	client, err := pion.NewClient(&pion.ClientConfig{
		STUNServerAddr: address, TURNServerAddr: address, Conn: conn,
		Username: c.Username, Password: c.Password, Realm: realm,
		RTO: 50 * time.Millisecond, LoggerFactory: logging.NewDefaultLoggerFactory(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Listen(); err != nil {
		t.Fatal(err)
	}
	return client, func() { conn.Close() }
}

// allocate is visit with an allocation.
func (s *site) allocate(t testing.TB, network, user string) (net.PacketConn, error) {
	t.Helper()
	conn, err := s.visit(t, network, s.Credentials(user)).Allocate()
	if err == nil {
		t.Cleanup(func() { _ = conn.Close() })
	}
	return conn, err
}

// asks sends text to a peer until it is answered, or, where none is expected, until the media port has answered after
// it.
func asks(t testing.TB, conn net.PacketConn, peer netip.AddrPort, text string) string {
	t.Helper()
	buf := make([]byte, 1500)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if _, err := conn.WriteTo([]byte(text), net.UDPAddrFromAddrPort(peer)); err != nil {
			return err.Error()
		}
		_ = conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		if n, from, err := conn.ReadFrom(buf); err == nil {
			if from.String() != peer.String() {
				t.Errorf("%s answered, not %s", from, peer)
			}
			return string(buf[:n])
		}
	}
	t.Fatalf("no answer of %s", peer)
	return ""
}

func (s *site) dropped(why reason) uint64 { return s.Stats().Dropped[why.String()] }

func eventually(t testing.TB, what string, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !happened(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s for %s", patience, what)
		}
	}
}
