package turn

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Packets to and from the media port are relayed, over all three transports.
func TestRelays(t *testing.T) {
	s := start(t, nil)
	for _, network := range []string{"udp", "tcp", "tls"} {
		conn, err := s.allocate(t, network, network)
		if err != nil {
			t.Fatalf("%s: %v", network, err)
		}
		for i := range 3 { // by indications at first, then by a channel
			text := strings.Repeat(fmt.Sprintf("%s %d. ", network, i), 1+100*i)
			if got := asks(t, conn, s.media, text); got != strings.ToUpper(text) {
				t.Errorf("%s: %d bytes came back: %.40q", network, len(got), got)
			}
		}
	}
	if got := s.Stats().Allocations; got != 3 {
		t.Errorf("%d allocations, want 3", got)
	}
}

// An open relay is what attackers look for: nothing reaches another port of this host, another host, or what listens on
// loopback, and nothing of theirs comes in.
func TestRelaysNowhereElse(t *testing.T) {
	var reached atomic.Int64
	other := func(b []byte) []byte { reached.Add(1); return b }
	s := start(t, nil)
	neighbour := echo(t, other)
	conn, err := s.allocate(t, "udp", "a")
	if err != nil {
		t.Fatal(err)
	}
	asks(t, conn, s.media, "so that this address is permitted")
	for range 5 { // an indication: the address is the media port's, the port is not
		if _, err := conn.WriteTo([]byte("x"), net.UDPAddrFromAddrPort(neighbour)); err != nil {
			break // the client asks for a channel meanwhile, and is not answered
		}
		asks(t, conn, s.media, "and this comes after it")
	}
	if reached.Load() != 0 {
		t.Error("another port of this host was reached")
	}
	if s.dropped(forbiddenPeer) == 0 {
		t.Errorf("nothing is counted: %v", s.Stats())
	}

	// The other way: a stranger on this very host who guesses the relay's port.
	relayed := conn.LocalAddr().(*net.UDPAddr)
	stranger, err := net.DialUDP("udp4", nil, relayed)
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	before := s.dropped(forbiddenPeer)
	if _, err := stranger.Write([]byte("spam")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the stranger's packet to be dropped", func() bool { return s.dropped(forbiddenPeer) > before })
	if got := asks(t, conn, s.media, "fine"); got != "FINE" {
		t.Errorf("the client got %q", got)
	}
	if !relayed.IP.IsLoopback() {
		t.Errorf("the relay is at %v, where others reach it", relayed)
	}
}

func TestForbiddenHosts(t *testing.T) {
	s := start(t, nil)
	conn, err := s.allocate(t, "udp", "a")
	if err != nil {
		t.Fatal(err)
	}
	asks(t, conn, s.media, "fine")
	for _, peer := range []string{
		"192.0.2.1", "127.0.0.2", "10.0.0.1", "169.254.169.254", "255.255.255.255", "0.0.0.0", "::1", "2001:db8::1",
	} {
		to := netip.AddrPortFrom(netip.MustParseAddr(peer), s.media.Port())
		if _, err := conn.WriteTo([]byte("x"), net.UDPAddrFromAddrPort(to)); err == nil {
			t.Errorf("%s is permitted", peer)
		}
	}
}

// Nothing is allocated without valid credentials.
func TestCredentials(t *testing.T) {
	s := start(t, nil)
	good := s.Credentials("a")
	other := start(t, nil)
	fresh := func(user string) Credentials { return s.Credentials(user) }
	s.clock.advance(-2 * CredentialLifetime)
	old := s.Credentials("a")
	s.clock.advance(2 * CredentialLifetime)
	s.dead.Store("gone", true)
	cases := []struct {
		name string
		c    Credentials
		why  reason
	}{
		{"none", Credentials{"", ""}, badCredentials},
		{"no user of ours", Credentials{"root", "root"}, badCredentials},
		{"wrong password", Credentials{good.Username, good.Password + "x"}, badCredentials},
		{"no password", Credentials{good.Username, ""}, badCredentials},
		{"another expiry", Credentials{"9" + good.Username, good.Password}, badCredentials},
		{"another user", Credentials{good.Username + "b", good.Password}, badCredentials},
		{"another server's", other.Credentials("a"), badCredentials},
		{"expired", old, expired},
		{"of a session that is over", fresh("gone"), expired},
		{"endless", Credentials{"99999999999999999999:a", ""}, badCredentials},
	}
	for _, c := range cases {
		for _, network := range []string{"udp", "tcp"} {
			before := s.dropped(c.why)
			if conn, err := s.visit(t, network, c.c).Allocate(); err == nil {
				conn.Close()
				t.Errorf("%s, %s: allocated", c.name, network)
			} else if s.dropped(c.why) == before && c.c.Username != "" {
				t.Errorf("%s, %s: not counted as %s: %v", c.name, network, c.why, s.Stats().Dropped)
			}
		}
	}
	if n := s.Stats().Allocations; n != 0 {
		t.Errorf("%d allocations", n)
	}
	if _, err := s.allocate(t, "udp", "a"); err != nil {
		t.Errorf("good ones: %v", err)
	}
}

// Clients come and go concurrently in all ways, and nothing of them stays. It is of use with the race detector.
func TestChurn(t *testing.T) {
	s := start(t, func(c *Config) { c.Allocations, c.PerUser, c.IdleTimeout = 40, 40, 5*time.Second })
	var work sync.WaitGroup
	for i := range 8 {
		work.Add(1)
		go func() {
			defer work.Done()
			for round := range 8 {
				s.clock.advance(time.Second) // or it is asked too often
				user, network := fmt.Sprint("u", i, round), []string{"udp", "tcp", "tls"}[(i+round)%3]
				client, hangUp := s.visiting(t, network, s.Credentials(user))
				conn, err := client.Allocate()
				// The port of a client that hung up silently is still allocated; RFC 5766, section 6.4, takes another.
				for err != nil && strings.Contains(err.Error(), "437") {
					hangUp()
					client.Close()
					client, hangUp = s.visiting(t, network, s.Credentials(user))
					conn, err = client.Allocate()
				}
				if err != nil {
					t.Errorf("%s: %v", user, err)
					hangUp()
					continue
				}
				if got := asks(t, conn, s.media, user); got != strings.ToUpper(user) {
					t.Errorf("%s: got %q", user, got)
				}
				switch round % 4 {
				case 0:
					_ = conn.Close() // in an orderly way
				case 1:
					s.Forget(user)
				case 2: // permissions up to the end
					s.Forget(user)
					_ = client.CreatePermission(net.UDPAddrFromAddrPort(s.media))
				}
				hangUp() // in the other cases without a word
				_ = conn.Close()
				client.Close()
			}
		}()
	}
	work.Wait()
	eventually(t, "all to end", func() bool { return s.Stats().Allocations == 0 })
	eventually(t, "nothing to be held", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.allocations) == 0
	})
}

// A client keeps its allocation when its credentials expire, and cannot get another.
func TestRefreshAfterExpiry(t *testing.T) {
	s := start(t, nil)
	c := s.Credentials("a")
	client := s.visit(t, "udp", c)
	conn, err := client.Allocate()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s.clock.advance(CredentialLifetime + time.Second)
	if got := asks(t, conn, s.media, "still here"); got != "STILL HERE" { // asks for a permission
		t.Errorf("got %q", got)
	}
	if other, err := s.visit(t, "udp", c).Allocate(); err == nil {
		other.Close()
		t.Error("expired credentials allocate again")
	}
}

// Requests without credentials are answered a few times a second, as their sender may be forged.
func TestRequestLimit(t *testing.T) {
	a, now := newRequestLimit(), time.Now()
	one, other := &net.UDPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1}, &net.UDPAddr{IP: net.IPv4(192, 0, 2, 2), Port: 1}
	answered := 0
	for range 1000 {
		if a.allow(one, now) {
			answered++
		}
	}
	if answered != requestBurst || !a.allow(other, now) {
		t.Errorf("%d answers, want %d, and another address its own", answered, requestBurst)
	}
	if one.Port = 2; a.allow(one, now) {
		t.Error("another port is another address")
	}
	if !a.allow(one, now.Add(time.Second)) {
		t.Error("a second later nothing is answered")
	}
}

// A connection that allocates nothing, or sends a malformed message, is closed.
func TestSilentConnections(t *testing.T) {
	s := start(t, nil)
	for name, said := range map[string]string{
		"HTTP":          "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"giant message": "\x00\x01\xff\xfc\x21\x12\xa4\x42............",
		"giant channel": "\x40\x00\xff\xff",
		"TLS hello":     "\x16\x03\x01\x02\x00\x01\x00\x00",
		"zeros":         strings.Repeat("\x00", 5000),
	} {
		conn, err := net.Dial("tcp", s.tcp)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte(said)); err != nil {
			t.Fatal(err)
		}
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		if _, err := conn.Read(make([]byte, 1)); err == nil || strings.Contains(err.Error(), "timeout") {
			t.Errorf("%s: %v, want the connection's end", name, err)
		}
		conn.Close()
	}
}

func TestNeedsIPv4(t *testing.T) {
	_, err := New(Config{Media: []netip.AddrPort{netip.MustParseAddrPort("[::1]:8189")}})
	if err == nil || !strings.Contains(err.Error(), "Media") {
		t.Errorf("%v, want the field's name in it", err)
	}
}
