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

// oneWay is the time that each datagram takes over the relay: a line across a country.
const oneWay = 20 * time.Millisecond

// weather is what a line does to a stream. What it does to datagrams it does in both directions.
type weather struct {
	name  string
	fate  func(*rand.Rand) servertest.Fate              // of a datagram; nil: it passes
	pack  func(*rand.Rand, *rtp.Packet)                 // changes a packet before it is encrypted, so that it arrives
	spoil func(*rand.Rand, pipeline.Unit) pipeline.Unit // changes a unit before it is packed
}

var weathers = []weather{
	{name: "clear"},
	{name: "5 % lost", fate: func(r *rand.Rand) servertest.Fate { return servertest.Fate{Lost: r.IntN(100) < 5} }},
	{name: "20 % lost", fate: func(r *rand.Rand) servertest.Fate { return servertest.Fate{Lost: r.IntN(100) < 20} }},
	{name: "10 % 30 ms late", fate: func(r *rand.Rand) servertest.Fate {
		return servertest.Fate{Delay: time.Duration(30*(r.IntN(10)/9)) * time.Millisecond}
	}},
	{name: "5 % twice", fate: func(r *rand.Rand) servertest.Fate { return servertest.Fate{Twice: r.IntN(100) < 5} }},
	{name: "5 % cut on the way", fate: func(r *rand.Rand) servertest.Fate { return servertest.Fate{Cut: r.IntN(100) / 95 * r.IntN(1200)} }},
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

// airing is what was seen of one session.
type airing struct {
	frames, labels int
	seconds        float64
	asked          []time.Time     // requests for key frames, as the client got them
	gap            time.Duration   // the longest media time without labels
	recovered      []time.Duration // from the sending of each key frame that was asked for to the first label of it or a later frame
	behind         []time.Duration // the same in media time: how much later that frame is
	whole          []time.Duration // behind, of the key frames that reached the server whole, as far as can be known
	unrecovered    int             // key frames that no label followed within the session
	dropped        map[string]uint64
}

// sent is a frame under way.
type sent struct {
	rtp     uint32
	at      time.Time
	damaged bool // by the sender
}

// clip is coded as for a live line: key units are rare, but those that are asked for.
func clip(t testing.TB, codec pipeline.Codec, w, h int) []pipeline.Unit {
	t.Helper()
	return testkit.Encode(t, codec, append([]string{"-stream_loop", "-1", "-i", testkit.Clip(t)},
		strings.Fields(fmt.Sprintf("-t 20 -r 30 -vf scale=%d:%d -g 120 -keyint_min 120 -sc_threshold 0", w, h))...)...)
}

// air publishes units for so long in a weather, and answers requests for key frames as an encoder does: the next
// frame is one.
func air(t testing.TB, s *Server, codec pipeline.Codec, units []pipeline.Unit, w weather, long time.Duration) airing {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	var fates sync.Mutex
	line := rand.New(rand.NewPCG(3, 4)) // guarded by fates: the relay's two directions share it
	var bad atomic.Bool                 // once the connection stands
	r := servertest.NewRelay(t, s.MediaAddr(), func(int, bool) (f servertest.Fate) {
		if w.fate != nil && bad.Load() {
			fates.Lock()
			f = w.fate(line)
			fates.Unlock()
		}
		f.Delay += oneWay
		return f
	})
	cut := map[uint32]bool{} // frames by their timestamps
	p := dial(t, s, whipclient.Options{Codec: codec, Client: r.Client(), Lose: func(p *rtp.Packet) bool {
		if w.pack != nil {
			whole := len(p.Payload)
			w.pack(random, p)
			cut[p.Timestamp] = cut[p.Timestamp] || len(p.Payload) < whole
		}
		return false
	}})
	bad.Store(true)

	var a airing
	var keys, labels []sent
	began := time.Now()
	tick := time.NewTicker(time.Second / 30)
	defer tick.Stop()
	wanted := false
	for i := 0; time.Since(began) < long; {
		select {
		case m := <-p.Labels():
			labels = append(labels, sent{rtp: m.RTP, at: time.Now()})
			a.dropped = m.Dropped
		case <-p.KeyframeRequests():
			a.asked = append(a.asked, time.Now())
			wanted = true
		case <-p.Done():
			t.Errorf("%s, %s: the session ended", codec, w.name)
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
			if w.spoil != nil {
				good := u.Data
				u = w.spoil(random, u)
				key.damaged = !bytes.Equal(good, u.Data)
			}
			if err := p.WriteUnit(u); err != nil {
				t.Errorf("%s, %s: %v", codec, w.name, err)
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
	a.judge(keys, labels, w.fate != nil)
	return a
}

// judge measures what came. Key frames of the last second may still be under way. On a line that loses, one that was followed by
// another before there was a label did not get through.
func (a *airing) judge(keys, labels []sent, loses bool) {
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

// String is the end of a row of docs/performance.md.
func (a airing) String() string {
	median, longest := "–", "–"
	if n := len(a.recovered); n > 0 {
		median, longest = fmt.Sprint(a.recovered[n/2].Milliseconds(), " ms"), fmt.Sprint(a.recovered[n-1].Milliseconds(), " ms")
	}
	return fmt.Sprintf("%.2f | %.1f | %.2f s | %s | %s |",
		float64(len(a.asked))/a.seconds, float64(a.labels)/a.seconds, a.gap.Seconds(), median, longest)
}

// In whatever weather a session goes on, asks for key frames at most twice a second, and gives labels within
// a second of each that is whole.
func TestWeather(t *testing.T) {
	for _, codec := range []pipeline.Codec{pipeline.VP8, pipeline.H264, pipeline.VP9, pipeline.AV1} {
		units := clip(t, codec, 320, 180)
		t.Run(string(codec), func(t *testing.T) {
			s := begin(t, decoding(servertest.OneFace{}), nil)
			t.Run("all", func(t *testing.T) { // ends before the server does
				for _, w := range weathers {
					t.Run(w.name, func(t *testing.T) {
						t.Parallel()
						checkAiring(t, air(t, s, codec, units, w, 4*time.Second))
					})
				}
			})
		})
		servertest.NoDecoders(t)
	}
}

func checkAiring(t *testing.T, a airing) {
	t.Helper()
	t.Log(a, a.dropped)
	if a.labels == 0 {
		t.Error("no labels")
	}
	if most := 1 + a.seconds/receive.KeyframeInterval.Seconds(); float64(len(a.asked)) > most {
		t.Errorf("%d key frames were asked for in %.1f s", len(a.asked), a.seconds)
	}
	if a.unrecovered > 0 {
		t.Errorf("no labels came after %d key frames", a.unrecovered)
	}
	if len(a.whole) > 0 && slices.Max(a.whole) > time.Second {
		t.Errorf("the first labels are %s after key frames that were whole", a.whole)
	}
}

// TestMemoryIsFlatInAStorm runs one session through all at once.
func TestMemoryIsFlatInAStorm(t *testing.T) {
	units := clip(t, pipeline.H264, 320, 180)
	storm := weather{name: "storm", pack: weathers[6].pack, spoil: weathers[7].spoil, fate: func(r *rand.Rand) servertest.Fate {
		return servertest.Fate{Lost: r.IntN(10) == 0, Twice: r.IntN(10) == 0, Cut: r.IntN(20) / 19 * r.IntN(1200), Delay: time.Duration(r.IntN(30)) * time.Millisecond}
	}}
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
	a := air(t, s, pipeline.H264, units, storm, 12*time.Second)
	close(stop)
	<-done
	t.Log(a, a.dropped, heaps, goroutines)
	if a.dropped["corrupt"]+a.dropped["lost"] == 0 {
		t.Error("the storm did no harm")
	}
	// The first third is for buffers to grow; the client keeps a thousand packets to send again, which takes longer.
	n := len(heaps)
	if early, late := slices.Max(heaps[n/3:2*n/3]), slices.Min(heaps[2*n/3:]); late > early+1<<20 {
		t.Errorf("the heap grew from %d to %d KiB", early>>10, late>>10)
	}
	if early, late := slices.Max(goroutines[n/3:2*n/3]), slices.Min(goroutines[2*n/3:]); late > early {
		t.Errorf("goroutines grew from %d to %d", early, late)
	}
}

// BenchmarkWeather prints a row of docs/performance.md for each weather.
func BenchmarkWeather(b *testing.B) {
	for _, codec := range []pipeline.Codec{pipeline.VP8, pipeline.H264} {
		units := clip(b, codec, 640, 360)
		for _, w := range weathers {
			b.Run(string(codec)+"/"+w.name, func(b *testing.B) {
				s := begin(b, decoding(servertest.OneFace{}), nil)
				for range b.N {
					b.Logf("| %s | %s | %s", codec, w.name, air(b, s, codec, units, w, 20*time.Second))
				}
			})
		}
	}
}
