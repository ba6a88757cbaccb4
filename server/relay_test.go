package server

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

	"mindflow/pipeline"
	"mindflow/pipeline/testkit"
	"mindflow/server/whipclient"
)

// relay is the network between a client and the media port, with its faults.
type relay struct {
	watch atomic.Pointer[func(p []byte, toServer bool)] // sees what comes
	fate  func(n int, toServer bool) fate               // of the n-th datagram with media or data of its direction; safe for both
	conn  *net.UDPConn                                  // the client's side
	far   *net.UDPConn                                  // the server's side
	back  atomic.Pointer[net.UDPAddr]                   // where the client is
	work  sync.WaitGroup
}

// fate is what becomes of a datagram. The zero fate is to pass at once.
type fate struct {
	lost  bool
	twice bool
	cut   int // bytes missing at its end
	delay time.Duration
}

// newRelay stands between the server s and clients that use its HTTP client, and loses datagrams.
func newRelay(t testing.TB, s *Server, lose func(n int, toServer bool) bool) *relay {
	t.Helper()
	return newRelayWithFates(t, s, func(n int, toServer bool) fate { return fate{lost: lose(n, toServer)} })
}

func newRelayWithFates(t testing.TB, s *Server, fate func(n int, toServer bool) fate) *relay {
	t.Helper()
	r := &relay{fate: fate}
	var err error
	if r.conn, err = net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
		t.Fatal(err)
	}
	if r.far, err = net.DialUDP("udp", nil, s.MediaAddr().(*net.UDPAddr)); err != nil {
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

// forward passes on one direction until its socket is closed.
func (r *relay) forward(from *net.UDPConn, toServer bool) {
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
			} else if client := r.back.Load(); client != nil {
				_, _ = r.conn.WriteToUDP(data, client)
			}
		})
	}()
}

// receive decides on the fate of what comes.
func (r *relay) receive(from *net.UDPConn, toServer bool, way chan<- datagram) {
	buf := make([]byte, 2048)
	for n := 0; ; {
		size, addr, err := from.ReadFromUDP(buf)
		if err != nil {
			return
		}
		if toServer {
			r.back.Store(addr)
		}
		if watch := r.watch.Load(); watch != nil {
			(*watch)(buf[:size], toServer)
		}
		var f fate
		if stun := buf[0] < 4; !stun {
			n++
			f = r.fate(n, toServer)
		}
		d := datagram{bytes.Clone(buf[:max(1, size-f.cut)]), time.Now().Add(f.delay)}
		if !f.lost {
			way <- d
		}
		if f.twice {
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

// RoundTrip puts the relay's port in the place of the server's in what the server answers.
func (r *relay) RoundTrip(req *http.Request) (*http.Response, error) {
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

func (r *relay) client() *http.Client { return &http.Client{Transport: r} }

func TestLossRepairedByRetransmission(t *testing.T) {
	units := testkit.TestSource(t, pipeline.VP8, 640, 480, 90)
	s := begin(t, decoding(oneFace{}), nil)
	lost := new(atomic.Int64)
	r := newRelay(t, s, func(n int, toServer bool) bool {
		bad := toServer && n > 50 && n%20 == 0 // after the handshake, every twentieth
		if bad {
			lost.Add(1)
		}
		return bad
	})
	p := dial(t, s, whipclient.Options{Codec: pipeline.VP8, Client: r.client()})
	p.publish(units)
	m := p.label("three seconds of labels", func(m pipeline.Message) bool { return m.Seq > 80 })
	t.Logf("%d datagrams lost, dropped %v", lost.Load(), m.Dropped)
	if lost.Load() < 10 {
		t.Errorf("only %d datagrams were lost", lost.Load())
	}
	if m.Dropped["lost"] > 0 {
		t.Errorf("loss of 5%% was not repaired: %v", m.Dropped)
	}
}

// TestCongestion stops what goes to the client: labels must not pile up on the server.
func TestCongestion(t *testing.T) {
	units := testkit.TestSource(t, pipeline.VP8, 160, 120, 60)
	var full atomic.Bool
	s := begin(t, decoding(oneFace{faces: 50}), nil) // long messages fill the line sooner
	r := newRelay(t, s, func(_ int, toServer bool) bool { return !toServer && full.Load() })
	p := dial(t, s, whipclient.Options{Codec: pipeline.VP8, Client: r.client()})
	p.publish(units)
	p.label("labels", first)
	sess := s.only(t)
	full.Store(true)
	waitFor(t, "labels to be held back", func() bool { return sess.dropped[dropCongested].Load() > 0 })
	if got := sess.labels.Load().BufferedAmount(); got > 2*maxBuffered {
		t.Errorf("%d bytes wait", got)
	}
	full.Store(false)
	p.label("labels again", func(m pipeline.Message) bool { return m.Dropped["congested"] > 0 })
}

// Who reads labels by HTTP because their channel is stuck gets them for as long as it is.
func TestCongestedChannelLeavesEvents(t *testing.T) {
	units := testkit.TestSource(t, pipeline.VP8, 160, 120, 60)
	var full atomic.Bool
	s := begin(t, decoding(oneFace{faces: 50}), nil)
	r := newRelay(t, s, func(_ int, toServer bool) bool { return !toServer && full.Load() })
	p := dial(t, s, whipclient.Options{Codec: pipeline.VP8, Client: r.client()})
	p.publish(units)
	p.label("labels", first)
	sess := s.only(t)
	full.Store(true)
	_, events := listen(t, p.Session()+"/labels", "")
	waitFor(t, "the channel to be full", func() bool { return congested(sess.labels.Load()) })
	stuck := newestSeq(sess)
	for seq := uint64(0); seq < stuck+30; {
		e, ok := events.next()
		if !ok {
			t.Fatal("the stream ended")
		}
		if e.id != "" {
			seq, _ = strconv.ParseUint(e.id, 10, 64)
		}
	}
	if got := sess.labels.Load().BufferedAmount(); got > 2*maxBuffered {
		t.Errorf("%d bytes wait", got)
	}
	full.Store(false)
}
