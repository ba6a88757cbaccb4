package ports

import (
	"context"
	"encoding/hex"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v3"
	"go.uber.org/goleak"

	"mindflow/pipeline/testkit"
)

// stunServer responds to the n-th request with the packets of reply, until the test ends.
func stunServer(t *testing.T, reply func(n int, question *stun.Message) [][]byte) string {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for n := 0; ; n++ {
			size, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			question := &stun.Message{Raw: append([]byte(nil), buf[:size]...)}
			if err := question.Decode(); err != nil || question.Type != stun.BindingRequest {
				t.Errorf("no question: %v, %v", question, err)
			}
			for _, data := range reply(n, question) {
				_, _ = conn.WriteTo(data, from)
			}
		}
	}()
	t.Cleanup(func() { conn.Close(); <-done })
	return conn.LocalAddr().String()
}

// noLeaks checks at the test's end that nothing is left running.
func noLeaks(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { testkit.NoLeaks(t, before) })
}

func reply(t *testing.T, setters ...stun.Setter) []byte {
	m, err := stun.Build(setters...)
	if err != nil {
		t.Error(err)
		return nil
	}
	return m.Raw
}

func TestQueryPublicIP(t *testing.T) {
	noLeaks(t)
	right := &stun.XORMappedAddress{IP: net.IPv4(203, 0, 113, 7), Port: 4}
	wrong := &stun.XORMappedAddress{IP: net.IPv4(203, 0, 113, 66), Port: 4}
	server := stunServer(t, func(n int, q *stun.Message) [][]byte {
		if n == 0 {
			return nil // lost
		}
		return [][]byte{
			[]byte("rubbish"),
			reply(t, stun.TransactionID, stun.BindingSuccess, wrong), // of another question
			reply(t, q, stun.BindingError, wrong),
			reply(t, q, stun.BindingSuccess), // no address
			reply(t, q, stun.BindingSuccess, right),
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if got, err := QueryPublicIP(ctx, server); err != nil || got != netip.MustParseAddr("203.0.113.7") {
		t.Errorf("%v, %v", got, err)
	}
}

func TestQueryPublicIPTimeout(t *testing.T) {
	server := stunServer(t, func(int, *stun.Message) [][]byte { return nil })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	got, err := QueryPublicIP(ctx, server)
	if err == nil || !strings.HasPrefix(err.Error(), "STUNServer: ") || !strings.Contains(err.Error(), server) {
		t.Errorf("%v, %v; want the server and the field named", got, err)
	}
}

func TestWatchPublicIP(t *testing.T) {
	noLeaks(t)
	server := stunServer(t, func(_ int, q *stun.Message) [][]byte {
		return [][]byte{reply(t, q, stun.BindingSuccess, &stun.XORMappedAddress{IP: net.IPv4(203, 0, 113, 7), Port: 4})}
	})
	f := WatchPublicIP(server, slog.New(slog.DiscardHandler))
	deadline := time.Now().Add(2 * time.Minute)
	for ; f.Addr() != netip.MustParseAddr("203.0.113.7"); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("found %v", f.Addr())
		}
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

// GHSA-34rh-wp3j-6cxc: an address that is too short made the library of old panic.
func TestShortMappedAddr(t *testing.T) {
	id := [stun.TransactionIDSize]byte{1}
	for _, attribute := range []string{"00200000", "0020000100000000", "0020000400010000", "002000080002000000000000"} {
		value, err := hex.DecodeString(attribute)
		if err != nil {
			t.Fatal(err)
		}
		m := append([]byte{1, 1, 0, byte(len(value)), 0x21, 0x12, 0xa4, 0x42}, append(id[:], value...)...)
		if addr, ok := mappedAddr(m, id); ok {
			t.Errorf("%s: %v", attribute, addr)
		}
	}
}

// FuzzMappedAddr reads packets that may be forged.
func FuzzMappedAddr(f *testing.F) {
	id := [stun.TransactionIDSize]byte{1}
	m, err := stun.Build(&stun.Message{TransactionID: id}, stun.BindingSuccess,
		&stun.XORMappedAddress{IP: net.IPv4(203, 0, 113, 7), Port: 4})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(m.Raw)
	f.Add(append([]byte{1, 1, 0, 4, 0x21, 0x12, 0xa4, 0x42}, append(id[:], 0, 0x20, 0, 0)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		if addr, ok := mappedAddr(data, id); ok && (!addr.IsValid() || addr.IsUnspecified()) {
			t.Errorf("%x: %v", data, addr)
		}
	})
}
