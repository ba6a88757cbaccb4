package servertest

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Relay is the network between a client and the media port, with its faults.
type Relay struct {
	watch  atomic.Pointer[func(p []byte, toServer bool)]
	fate   func(n int, toServer bool) Fate
	conn   *net.UDPConn                // the client's side
	far    *net.UDPConn                // the server's side
	client atomic.Pointer[net.UDPAddr] // nil before it has sent something
	work   sync.WaitGroup
}

// Fate is what happens to a datagram. The zero Fate lets it pass at once.
type Fate struct {
	Lost  bool
	Twice bool
	Cut   int // bytes missing at its end
	Delay time.Duration
}

// Lose returns the fates of a network that loses datagrams.
func Lose(lose func(n int, toServer bool) bool) func(n int, toServer bool) Fate {
	return func(n int, toServer bool) Fate { return Fate{Lost: lose(n, toServer)} }
}

// NewRelay makes a network before a media port, for clients that use its HTTP client. fate decides on the n-th datagram
// of its direction; connectivity checks always pass. It is called by two goroutines.
func NewRelay(t testing.TB, media net.Addr, fate func(n int, toServer bool) Fate) *Relay {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	return NewRelayOn(t, conn, media, fate)
}

// NewRelayOn is NewRelay with a socket for the client's side.
func NewRelayOn(t testing.TB, conn *net.UDPConn, media net.Addr, fate func(n int, toServer bool) Fate) *Relay {
	t.Helper()
	r := &Relay{fate: fate, conn: conn}
	var err error
	if r.far, err = net.DialUDP("udp", nil, media.(*net.UDPAddr)); err != nil {
		t.Fatal(err)
	}
	r.forward(r.conn, true)
	r.forward(r.far, false)
	t.Cleanup(func() {
		_ = r.conn.Close()
		_ = r.far.Close()
		r.work.Wait()
	})
	return r
}

// Watch has f see all datagrams from now on.
func (r *Relay) Watch(f func(p []byte, toServer bool)) { r.watch.Store(&f) }

// Send sends a datagram to the server as the client's.
func (r *Relay) Send(p []byte) error {
	_, err := r.far.Write(p)
	return err
}

// Used reports whether the client has sent something.
func (r *Relay) Used() bool { return r.client.Load() != nil }

// forward passes on one direction until its socket is closed.
func (r *Relay) forward(from *net.UDPConn, toServer bool) {
	way := make(chan datagram, 1024)
	r.work.Add(2)
	go func() {
		defer r.work.Done()
		defer close(way)
		r.receive(from, toServer, way)
	}()
	go func() {
		defer r.work.Done()
		inOrderOfTime(way, func(data []byte) {
			if toServer {
				_, _ = r.far.Write(data)
			} else if client := r.client.Load(); client != nil {
				_, _ = r.conn.WriteToUDP(data, client)
			}
		})
	}()
}

// receive decides what happens to the datagrams of one direction.
func (r *Relay) receive(from *net.UDPConn, toServer bool, way chan<- datagram) {
	buf := make([]byte, 2048)
	for n := 0; ; {
		size, addr, err := from.ReadFromUDP(buf)
		if err != nil {
			return
		}
		if toServer {
			r.client.Store(addr)
		}
		if watch := r.watch.Load(); watch != nil {
			(*watch)(buf[:size], toServer)
		}
		var f Fate
		if stun := buf[0] < 4; !stun {
			n++
			f = r.fate(n, toServer)
		}
		d := datagram{bytes.Clone(buf[:max(1, size-f.Cut)]), time.Now().Add(f.Delay)}
		if !f.Lost {
			way <- d
		}
		if f.Twice {
			way <- d
		}
	}
}

// datagram is to be delivered at a time.
type datagram struct {
	data []byte
	due  time.Time
}

// inOrderOfTime delivers each datagram when it is due, until way is closed. Those that are due at the same
// time keep their order.
func inOrderOfTime(way <-chan datagram, deliver func([]byte)) {
	var queue []datagram // the first is the next due
	clock := time.NewTimer(time.Hour)
	defer clock.Stop()
	for {
		for len(queue) > 0 && !time.Now().Before(queue[0].due) {
			deliver(queue[0].data)
			queue = queue[1:]
		}
		if len(queue) > 0 {
			clock.Reset(time.Until(queue[0].due))
		}
		select {
		case d, open := <-way:
			if !open {
				return
			}
			i := len(queue)
			for i > 0 && queue[i-1].due.After(d.due) {
				i--
			}
			queue = slices.Insert(queue, i, d)
		case <-clock.C:
		}
	}
}

// RoundTrip replaces the server's port by the relay's in the server's answers.
func (r *Relay) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	port := func(a net.Addr) []byte { return []byte(" 127.0.0.1 " + strconv.Itoa(a.(*net.UDPAddr).Port) + " ") }
	body = bytes.ReplaceAll(body, port(r.far.RemoteAddr()), port(r.conn.LocalAddr()))
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res, err
}

// Client returns the HTTP client for publishers behind the relay.
func (r *Relay) Client() *http.Client { return &http.Client{Transport: r} }
