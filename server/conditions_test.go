package server

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtp"

	"mindflow/pipeline"
	"mindflow/pipeline/testkit"
	"mindflow/server/receive"
	"mindflow/server/servertest"
	"mindflow/server/whipclient"
)

// oneWay is the time that each datagram takes over the relay, as on a line across a country.
const oneWay = 20 * time.Millisecond

// conditions is what a network does to a stream. What it does to datagrams it does in both directions.
type conditions struct {
	name  string
	fate  func(*rand.Rand) servertest.Fate              // of a datagram; nil means that it passes
	pack  func(*rand.Rand, *rtp.Packet)                 // changes a packet before it is encrypted, so that it arrives
	spoil func(*rand.Rand, pipeline.Unit) pipeline.Unit // changes a unit before it is packed
}

var networks = []conditions{
	{name: "clear"},
	{name: "5 % lost", fate: func(r *rand.Rand) servertest.Fate { return servertest.Fate{Lost: r.IntN(100) < 5} }},
	{name: "20 % lost", fate: func(r *rand.Rand) servertest.Fate { return servertest.Fate{Lost: r.IntN(100) < 20} }},
	{name: "10 % 30 ms late", fate: func(r *rand.Rand) servertest.Fate {
		return servertest.Fate{Delay: time.Duration(30*(r.IntN(10)/9)) * time.Millisecond}
	}},
	{name: "5 % twice", fate: func(r *rand.Rand) servertest.Fate { return servertest.Fate{Twice: r.IntN(100) < 5} }},
	{name: "5 % cut on the way", fate: func(r *rand.Rand) servertest.Fate {
		return servertest.Fate{Cut: r.IntN(100) / 95 * r.IntN(1200)}
	}},
	{name: "1 % cut by the sender", pack: func(r *rand.Rand, p *rtp.Packet) {
		if r.IntN(100) < 1 {
			p.Payload = p.Payload[:r.IntN(len(p.Payload))]
		}
	}},
	{name: "5 % of frames garbled", spoil: func(r *rand.Rand, u pipeline.Unit) pipeline.Unit {
		if r.IntN(100) < 5 {
			u.Data = bytes.Clone(u.Data)
			for range 20 {
				u.Data[r.IntN(len(u.Data))] ^= 1 << r.IntN(8)
			}
		}
		return u
	}},
}

// transmission is the result of one session.
type transmission struct {
	frames, labels int
	seconds        float64
	requests       []time.Time     // for key frames, as the client received them
	gap            time.Duration   // longest media time without labels
	recovered      []time.Duration // from sending a requested key frame to the first label of it or of a later frame
	behind         []time.Duration // the same in media time: how much later that frame is
	whole          []time.Duration // behind, of key frames that reached the server whole, as far as is known
	unrecovered    int             // key frames without a label until the session ended
	dropped        map[string]uint64
}

// sent is a frame that was sent, or the label of one.
type sent struct {
	rtp     uint32
	at      time.Time
	damaged bool // by the sender
}

// clip returns the test clip coded as for a live connection: without requests, key frames are rare.
func clip(t testing.TB, codec pipeline.Codec, w, h int) []pipeline.Unit {
	t.Helper()
	return testkit.Encode(t, codec, append([]string{"-stream_loop", "-1", "-i", testkit.Clip(t)},
		strings.Fields(fmt.Sprintf("-t 20 -r 30 -vf scale=%d:%d -g 120 -keyint_min 120 -sc_threshold 0", w, h))...)...)
}

// transmit publishes units for a duration, and answers requests for key frames as an encoder does: the next frame is
// one.
func transmit(
	t testing.TB, s *Server, codec pipeline.Codec, units []pipeline.Unit, c conditions, duration time.Duration,
) transmission {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	var fates sync.Mutex
	line := rand.New(rand.NewPCG(3, 4)) // guarded by fates: the relay's two directions share it
	var bad atomic.Bool                 // set when the session is connected
	r := servertest.NewRelay(t, s.MediaAddr(), func(int, bool) (f servertest.Fate) {
		if c.fate != nil && bad.Load() {
			fates.Lock()
			f = c.fate(line)
			fates.Unlock()
		}
		f.Delay += oneWay
		return f
	})
	cut := map[uint32]bool{} // frames by their timestamps
	p := dial(t, s, whipclient.Options{Codec: codec, Client: r.Client(), Drop: func(p *rtp.Packet) bool {
		if c.pack != nil {
			whole := len(p.Payload)
			c.pack(random, p)
			cut[p.Timestamp] = cut[p.Timestamp] || len(p.Payload) < whole
		}
		return false
	}})
	bad.Store(true)

	var a transmission
	var keys, labels []sent
	began := time.Now()
	tick := time.NewTicker(time.Second / 30)
	defer tick.Stop()
	wanted := false
	for i := 0; time.Since(began) < duration; {
		select {
		case m := <-p.Labels():
			labels = append(labels, sent{rtp: m.RTP, at: time.Now()})
			a.dropped = m.Dropped
		case <-p.KeyframeRequests():
			a.requests = append(a.requests, time.Now())
			wanted = true
		case <-p.Done():
			t.Errorf("%s, %s: the session ended", codec, c.name)
			return a
		case <-tick.C:
			for wanted && !units[i].Key {
				i = (i + 1) % len(units)
			}
			u := units[i]
			i = (i + 1) % len(units)
			u.RTP = uint32(a.frames) * testkit.Clock / 30
			a.frames++
			key := sent{rtp: u.RTP, at: time.Now()}
			if c.spoil != nil {
				good := u.Data
				u = c.spoil(random, u)
				key.damaged = !bytes.Equal(good, u.Data)
			}
			if err := p.WriteUnit(u); err != nil {
				t.Errorf("%s, %s: %v", codec, c.name, err)
				return a
			}
			if wanted {
				key.damaged = key.damaged || cut[u.RTP]
				keys = append(keys, key)
				wanted = false
			}
		}
	}
	a.seconds = time.Since(began).Seconds()
	a.evaluate(keys, labels, c.fate != nil)
	return a
}

// evaluate compares the labels with the key frames that were sent. Key frames of the last second may still be under
// way. On a line that loses packets, a key frame did not arrive when another followed before the first label.
func (a *transmission) evaluate(keys, labels []sent, loses bool) {
	a.labels = len(labels)
	last := uint32(0)
	for _, l := range append(slices.Clone(labels), sent{rtp: uint32(a.frames) * testkit.Clock / 30}) {
		if l.rtp > last {
			a.gap = max(a.gap, time.Duration(l.rtp-last)*time.Second/testkit.Clock)
			last = l.rtp
		}
	}
	for n, k := range keys {
		i := slices.IndexFunc(labels, func(l sent) bool { return l.rtp >= k.rtp })
		switch {
		case i >= 0:
			a.recovered = append(a.recovered, labels[i].at.Sub(k.at))
			behind := time.Duration(labels[i].rtp-k.rtp) * time.Second / testkit.Clock
			a.behind = append(a.behind, behind)
			if followed := n+1 < len(keys) && keys[n+1].rtp <= labels[i].rtp; !k.damaged && !(loses && followed) {
				a.whole = append(a.whole, behind)
			}
		case k.rtp+testkit.Clock < uint32(a.frames)*testkit.Clock/30:
			a.unrecovered++
		}
	}
	slices.Sort(a.recovered)
	slices.Sort(a.behind)
}

// String returns the end of a row of docs/measurements/network-conditions.md.
func (a transmission) String() string {
	median, longest := "–", "–"
	if n := len(a.recovered); n > 0 {
		median = fmt.Sprint(a.recovered[n/2].Milliseconds(), " ms")
		longest = fmt.Sprint(a.recovered[n-1].Milliseconds(), " ms")
	}
	return fmt.Sprintf("%.2f | %.1f | %.2f s | %s | %s |",
		float64(len(a.requests))/a.seconds, float64(a.labels)/a.seconds, a.gap.Seconds(), median, longest)
}

// TestNetworkConditions checks that a session continues in all conditions, requests at most two key frames a second,
// and gives labels within a second of each key frame that arrives whole.
func TestNetworkConditions(t *testing.T) {
	for _, codec := range []pipeline.Codec{pipeline.VP8, pipeline.H264, pipeline.VP9, pipeline.AV1} {
		units := clip(t, codec, 320, 180)
		t.Run(string(codec), func(t *testing.T) {
			s := begin(t, decoding(servertest.OneFace{}), nil)
			t.Run("all", func(t *testing.T) { // ends before the server does
				for _, c := range networks {
					t.Run(c.name, func(t *testing.T) {
						t.Parallel()
						checkTransmission(t, transmit(t, s, codec, units, c, 4*time.Second))
					})
				}
			})
		})
		servertest.NoDecoders(t)
	}
}

func checkTransmission(t *testing.T, a transmission) {
	t.Helper()
	t.Log(a, a.dropped)
	if a.labels == 0 {
		t.Error("no labels")
	}
	if most := 1 + a.seconds/receive.KeyframeInterval.Seconds(); float64(len(a.requests)) > most {
		t.Errorf("%d key frames were requested in %.1f s", len(a.requests), a.seconds)
	}
	if a.unrecovered > 0 {
		t.Errorf("no labels came after %d key frames", a.unrecovered)
	}
	if len(a.whole) > 0 && slices.Max(a.whole) > time.Second {
		t.Errorf("the first labels are %s after key frames that were whole", a.whole)
	}
}

// TestMemoryIsFlatInAllConditions runs one session through all conditions at once.
func TestMemoryIsFlatInAllConditions(t *testing.T) {
	units := clip(t, pipeline.H264, 320, 180)
	all := conditions{name: "all", pack: networks[6].pack, spoil: networks[7].spoil}
	all.fate = func(r *rand.Rand) servertest.Fate {
		return servertest.Fate{
			Lost: r.IntN(10) == 0, Twice: r.IntN(10) == 0, Cut: r.IntN(20) / 19 * r.IntN(1200),
			Delay: time.Duration(r.IntN(30)) * time.Millisecond,
		}
	}
	s := begin(t, decoding(servertest.OneFace{}), nil)
	stop, done := make(chan struct{}), make(chan struct{})
	var heaps, goroutines []int
	go func() {
		defer close(done)
		each := time.NewTicker(500 * time.Millisecond)
		defer each.Stop()
		for {
			select {
			case <-stop:
				return
			case <-each.C:
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				heaps, goroutines = append(heaps, int(m.HeapAlloc)), append(goroutines, runtime.NumGoroutine())
			}
		}
	}()
	a := transmit(t, s, pipeline.H264, units, all, 12*time.Second)
	close(stop)
	<-done
	t.Log(a, a.dropped, heaps, goroutines)
	if a.dropped["corrupt"]+a.dropped["lost"] == 0 {
		t.Error("nothing was lost")
	}
	// Buffers grow in the first third. The client keeps a thousand packets for retransmission, which takes longer.
	n := len(heaps)
	if early, late := slices.Max(heaps[n/3:2*n/3]), slices.Min(heaps[2*n/3:]); late > early+1<<20 {
		t.Errorf("the heap grew from %d to %d KiB", early>>10, late>>10)
	}
	if early, late := slices.Max(goroutines[n/3:2*n/3]), slices.Min(goroutines[2*n/3:]); late > early {
		t.Errorf("goroutines grew from %d to %d", early, late)
	}
}

// BenchmarkNetworkConditions prints the rows of docs/measurements/network-conditions.md.
func BenchmarkNetworkConditions(b *testing.B) {
	for _, codec := range []pipeline.Codec{pipeline.VP8, pipeline.H264} {
		units := clip(b, codec, 640, 360)
		for _, c := range networks {
			b.Run(string(codec)+"/"+c.name, func(b *testing.B) {
				s := begin(b, decoding(servertest.OneFace{}), nil)
				for range b.N {
					b.Logf("| %s | %s | %s", codec, c.name, transmit(b, s, codec, units, c, 20*time.Second))
				}
			})
		}
	}
}
