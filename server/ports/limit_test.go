package ports

import (
	"io"
	"net"
	"testing"
	"time"
)

func TestLimitListener(t *testing.T) {
	for _, c := range []struct {
		name              string
		all, each, opened int
		want              int
	}{
		{"all", 2, 9, 4, 2},
		{"each", 9, 3, 4, 3},
		{"none refused", 9, 9, 4, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			inner, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			l := LimitListener(inner, c.all, c.each)
			defer l.Close()
			accepted := make(chan net.Conn, 16)
			go func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					accepted <- conn
				}
			}()
			for range c.opened {
				conn, err := net.Dial("tcp", l.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
			}
			var held []net.Conn
			for range c.want {
				held = append(held, <-accepted)
			}
			deadline := time.Now().Add(2 * time.Minute)
			for ; l.Refused() != uint64(c.opened-c.want); time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("%d were refused, want %d", l.Refused(), c.opened-c.want)
				}
			}
			// A connection that is closed, even twice, frees one place.
			held[0].Close()
			held[0].Close()
			one, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer one.Close()
			(<-accepted).Close()
			if _, err := one.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("read %v", err)
			}
			for _, conn := range held[1:] {
				conn.Close()
			}
			if len(l.open) != 0 || len(l.limit.bySource) != 0 {
				t.Errorf("%d are held, of %v", len(l.open), l.limit.bySource)
			}
		})
	}
}

// Closing the listener closes its connections.
func TestLimitedListenerClose(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := LimitListener(inner, 9, 9)
	visitor, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer visitor.Close()
	if _, err := l.Accept(); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := visitor.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("read %v", err)
	}
}

func TestSourceOf(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.7":           "192.0.2.7/32",
		"::ffff:192.0.2.7":    "192.0.2.7/32",
		"2001:db8:0:1:2::3":   "2001:db8:0:1::/64",
		"2001:db8:0:1:ffff::": "2001:db8:0:1::/64",
	} {
		if got := SourceOf(&net.TCPAddr{IP: net.ParseIP(address), Port: 5}).String(); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
	if got := SourceOf(&net.UnixAddr{}); got.IsValid() {
		t.Errorf("of another kind: %v", got)
	}
}
