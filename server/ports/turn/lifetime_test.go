package turn

import (
	"fmt"
	"net"
	"testing"
	"time"
)

// The allocations of one user and of all are bounded; a freed one can be allocated again.
func TestQuota(t *testing.T) {
	s := start(t, nil)
	var held []net.PacketConn
	for range 3 {
		conn, err := s.allocate(t, "udp", "a")
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, conn)
	}
	if _, err := s.allocate(t, "udp", "a"); err == nil || s.dropped(overQuota) != 1 {
		t.Errorf("a user's fourth: %v, %v", err, s.Stats())
	}
	s.clock.advance(time.Second) // the same user with other credentials
	if _, err := s.allocate(t, "udp", "a"); err == nil {
		t.Error("newer credentials allow more")
	}
	for i := range 5 {
		if _, err := s.allocate(t, "udp", fmt.Sprint("u", i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.allocate(t, "udp", "late"); err == nil || s.Stats().Allocations != 8 {
		t.Errorf("the ninth of all: %v, %v", err, s.Stats())
	}
	held[0].Close()
	eventually(t, "a place", func() bool { return s.Stats().Allocations == 7 })
	if _, err := s.allocate(t, "udp", "late"); err != nil {
		t.Errorf("after one was given back: %v", err)
	}
}

// The end of a session ends its allocations, also when the browser is silent.
func TestForget(t *testing.T) {
	s := start(t, nil)
	for _, network := range []string{"udp", "tcp"} {
		if _, err := s.allocate(t, network, "a"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.allocate(t, "udp", "b"); err != nil {
		t.Fatal(err)
	}
	s.dead.Store("a", true)
	s.Forget("a")
	eventually(t, "the end of a's", func() bool { return s.Stats().Allocations == 1 })
}

// An allocation ends after its longest lifetime.
func TestLife(t *testing.T) {
	s := start(t, func(c *Config) { c.MaxLifetime = 50 * time.Millisecond })
	if _, err := s.allocate(t, "udp", "a"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "its end", func() bool { return s.Stats().Allocations == 0 })
}

// An allocation without packets ends, while one with packets lives on.
func TestIdle(t *testing.T) {
	s := start(t, func(c *Config) { c.IdleTimeout = 2 * time.Second })
	if _, err := s.allocate(t, "udp", "silent"); err != nil {
		t.Fatal(err)
	}
	busy, err := s.allocate(t, "udp", "busy")
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the silent one's end", func() bool {
		asks(t, busy, s.media, "still here")
		return s.Stats().Allocations == 1
	})
}
