package session

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"mindflow/pipeline"
	"mindflow/pipeline/avdec"
	"mindflow/pipeline/testkit"
	"mindflow/server/servertest"
	"mindflow/server/whipclient"
)

// looked is what a frameRate gets at a look: frames in the two seconds before.
type looked struct{ analysed, missed uint64 }

func TestFrameRate(t *testing.T) {
	all, few, half := looked{60, 0}, looked{20, 40}, looked{30, 30}
	for _, row := range []struct {
		name  string
		most  int
		looks []looked
		want  []int // the rate after each look
	}{
		{"all analysed", 30, []looked{all, all, all}, []int{30, 30, 30}},
		{"few once", 30, []looked{few, all, few, all}, []int{30, 30, 30, 30}},
		{"few in a row", 30, []looked{few, few, {20, 10}, {20, 10}}, []int{30, 15, 15, 15}},
		{"three in four are no reason", 30, []looked{{45, 15}, {45, 15}, {43, 17}}, []int{30, 30, 30}},
		{"none analysed", 30, []looked{{0, 60}, {0, 60}, {0, 10}}, []int{30, 5, 5}},
		{"more than the least change", 30, []looked{{32, 28}, {32, 28}, {30, 30}}, []int{30, 24, 24}},
		{"less than the least change", 30, []looked{{34, 26}, {34, 26}, {34, 26}}, []int{30, 30, 30}},
		{"free again", 30, []looked{{0, 60}, {0, 60}, {10, 0}, {16, 0}, {24, 0}, {36, 1}, {53, 1}, {60, 0}},
			[]int{30, 5, 8, 12, 18, 27, 30, 30}},
		{"a part of them missed: no rise", 30, []looked{few, few, {27, 3}, {27, 3}}, []int{30, 15, 15, 15}},
		{"one missed of a few", 30, []looked{{0, 60}, {0, 60}, {9, 1}, {14, 2}}, []int{30, 5, 8, 8}},
		{"a rise too far is kept: as many are analysed", 30, []looked{few, few, {30, 0}, {30, 16}, {30, 16}, {30, 16}},
			[]int{30, 15, 23, 23, 23, 23}},
		{"still sent too much", 30, []looked{few, few, few, few}, []int{30, 15, 15, 15}},
		{"too few came to tell", 30, []looked{{0, 4}, {0, 4}, {2, 2}, {4, 0}}, []int{30, 30, 30, 30}},
		{"silence in between", 30, []looked{few, {0, 0}, few, few}, []int{30, 30, 30, 15}},
		{"at most two are wanted", 2, []looked{{0, 60}, {0, 60}, all}, []int{2, 2, 2}},
		{"nothing is asked for", 0, []looked{half, few, all}, []int{0, 0, 0}},
	} {
		p, now, total := newFrameRate(row.most), time.Unix(1000, 0), frameCounts{500, 300}
		p.begin(now, total)
		var got []int
		for _, l := range row.looks {
			now = now.Add(2 * time.Second)
			total.analysed, total.missed = total.analysed+l.analysed, total.missed+l.missed
			before := p.rate
			if changed := p.look(now, total); changed != (p.rate != before) {
				t.Errorf("%s: look says %v when %d became %d", row.name, changed, before, p.rate)
			}
			got = append(got, p.rate)
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%s: %v, want %v", row.name, got, row.want)
		}
	}
}

// A machine that publishes as well has less to spare the more it sends. Changes get rare, and the rate goes
// all the way up when the machine is free.
func TestFrameRateOfBusyPublisher(t *testing.T) {
	p, now, total, changes := newFrameRate(30), time.Unix(1000, 0), frameCounts{}, 0
	p.begin(now, total)
	look := func(capacity float64) (changed bool) {
		now = now.Add(2 * time.Second)
		analysed := min(capacity, float64(p.rate)) * 2
		total.analysed += uint64(analysed)
		total.missed += uint64(2*float64(p.rate) - analysed)
		return p.look(now, total)
	}
	for n := range 200 {
		capacity := 20.0
		if p.rate > 15 {
			capacity = 8
		}
		if look(capacity) && n >= 50 {
			changes++
		}
	}
	if changes == 0 || changes > 40 {
		t.Errorf("%d changes in five minutes", changes)
	}
	for range 60 {
		look(30)
	}
	if p.rate != 30 {
		t.Errorf("%d frames a second are asked for when there is nothing else to do", p.rate)
	}
}

// Whatever is counted, the rate stays within its limits.
func TestFrameRateWithinLimits(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	p, now, total := newFrameRate(30), time.Unix(1000, 0), frameCounts{}
	for range 10_000 {
		now = now.Add(time.Duration(random.IntN(3)) * time.Duration(random.IntN(int(3*time.Second))))
		total.analysed += uint64(random.IntN(1 + random.IntN(100)))
		total.missed += uint64(random.IntN(1 + random.IntN(100)))
		if p.look(now, total); p.rate < leastFramerate || p.rate > 30 || p.wait < 1 || p.wait > mostWait {
			t.Fatalf("%+v", p)
		}
	}
}

func hint(p servertest.Publisher, what string, fits func(whipclient.Control) bool) whipclient.Control {
	p.T.Helper()
	return p.Says(what, func(c whipclient.Control) bool { return c.Type == "hint" && fits(c) })
}

// hintWhile sends until there is a hint.
func hintWhile(p servertest.Publisher, what string, send func()) whipclient.Control {
	p.T.Helper()
	for deadline := time.Now().Add(servertest.Patience); time.Now().Before(deadline); send() {
		for len(p.Controls()) > 0 {
			if c := <-p.Controls(); c.Type == "hint" {
				return c
			}
		}
	}
	p.T.Fatalf("waited %s for %s", servertest.Patience, what)
	return whipclient.Control{}
}

func TestHints(t *testing.T) {
	units := testkit.TestSource(t, pipeline.VP8, 160, 120, 60)
	g := servertest.NewGate()
	s := begin(t, decoding(servertest.OneFace{Before: g.Hold}), func(c *Config) {
		c.MaxSide, c.MaxFramerate, c.Timing.HintEvery = 320, 24, 500*time.Millisecond
	})
	p := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
	t.Cleanup(g.Open) // before the client's end, which waits for the frame's
	var said []string
	first := p.Says("a hint", func(c whipclient.Control) bool { said = append(said, c.Type); return c.Type == "hint" })
	if !slices.Equal(said, []string{"hello", "hint"}) || first.V != 1 || first.MaxSide != 320 ||
		first.MaxFramerate != 24 {
		t.Errorf("the server said %v, then %+v", said, first)
	}
	frame, tick := 0, time.NewTicker(time.Second/30)
	defer tick.Stop()
	low := hintWhile(p, "a lower rate", func() {
		<-tick.C
		p.WriteAt(units[frame%len(units)], frame)
		frame++
	})
	if low.MaxSide != 320 || low.MaxFramerate != leastFramerate { // the detector holds the first frame
		t.Errorf("hint is %+v", low)
	}
	g.Open()
	last := low
	for last.MaxFramerate < 24 { // the publisher goes on no faster than all is analysed
		next := hintWhile(p, "a higher rate", func() {
			sent := p.WriteAt(units[frame%len(units)], frame)
			frame++
			p.Label("its labels", func(m pipeline.Message) bool { return m.RTP == sent })
		})
		if next.MaxSide != 320 || next.MaxFramerate <= last.MaxFramerate || next.MaxFramerate > 24 {
			t.Fatalf("%+v follows %+v", next, last)
		}
		last = next
	}
}

func TestHintsOfOneKind(t *testing.T) {
	for _, row := range []struct{ side, rate int }{{640, 0}, {0, 15}} {
		t.Run(fmt.Sprintf("%+v", row), func(t *testing.T) {
			s := begin(t, idle(), func(c *Config) { c.MaxSide, c.MaxFramerate = row.side, row.rate })
			p := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
			h := hint(p, "a hint", func(whipclient.Control) bool { return true })
			if h.MaxSide != row.side || h.MaxFramerate != float64(row.rate) {
				t.Errorf("it is %+v", h)
			}
		})
	}
}

// look has the session looked at as if so much time had gone by, and gives the rate then.
func (sess *Session) look(after time.Duration) (rate int) {
	sess.do(func() { sess.adjustFrameRate(time.Now().Add(after)); rate = sess.frameRate.rate })
	return rate
}

// seldom asks for hints and leaves it to the test when to look.
func seldom(c *Config) { c.MaxSide, c.MaxFramerate, c.Timing.HintEvery = 640, 30, time.Hour }

func TestNoHintsWithoutControl(t *testing.T) {
	s := begin(t, idle(), seldom)
	sess := s.silent(t)
	sess.waited.Add(1000)
	sess.look(2 * time.Second)
	sess.waited.Add(1000)
	if rate := sess.look(4 * time.Second); rate != 30 {
		t.Errorf("a rate of %d would be asked for", rate)
	}
}

func TestNoHintsWithoutLimits(t *testing.T) {
	s := begin(t, idle(), func(c *Config) { c.Timing.HintEvery = time.Hour })
	p := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
	sess := s.only(t)
	for range 3 {
		sess.waited.Add(1000)
		sess.look(2 * time.Second)
	}
	var said []string
	p.AskOptions(1, "")
	p.Ask("pause")
	for len(p.Controls()) > 0 {
		said = append(said, (<-p.Controls()).Type)
	}
	if slices.Contains(said, "hint") {
		t.Errorf("the server said %v", said)
	}
}

func TestPauseIsNotMeasured(t *testing.T) {
	s := begin(t, idle(), seldom)
	p := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
	sess := s.only(t)
	p.Ask("pause")
	for range 3 {
		sess.waited.Add(1000) // as left over from before
		if rate := sess.look(2 * time.Second); rate != 30 {
			t.Fatalf("%d in a pause", rate)
		}
	}
	p.Ask("resume")
	for i, want := range []int{30, leastFramerate} {
		sess.waited.Add(1000)
		if rate := sess.look(time.Duration(4+2*i) * time.Second); rate != want {
			t.Errorf("%d at look %d after the pause, want %d", rate, i, want)
		}
	}
}

// Frames that are decoded in one go, as after a repair, are no sign that there is too much to do.
func TestFramesInOneGo(t *testing.T) {
	units := testkit.TestSource(t, pipeline.VP8, 160, 120, unitQueue)
	analysis, decoder := servertest.NewGate(), servertest.NewGate()
	e := decoding(servertest.OneFace{Before: analysis.Hold})
	e.OpenDecoder = func(c pipeline.Codec) (pipeline.Decoder, error) {
		d, err := avdec.Open(c, avdec.DefaultMaxPixels)
		return servertest.SlowDecoder{Decoder: d, Hold: decoder.Shut}, err
	}
	s := begin(t, e, seldom)
	p := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
	t.Cleanup(decoder.Open)
	t.Cleanup(analysis.Open)
	sess := s.only(t)
	for i := range unitQueue {
		p.WriteAt(units[i], i)
	}
	servertest.WaitFor(t, "the units", func() bool { return len(sess.units) == unitQueue-1 }) // one is with the decoder
	decoder.Open()
	servertest.WaitFor(t, "frames to be replaced", func() bool { return sess.dropped[dropStale].Load() >= unitQueue-3 })
	// a busy machine may stop in between
	if stale, waited := sess.dropped[dropStale].Load(), sess.waited.Load(); waited > stale/2 {
		t.Errorf("%d of %d count as waited", waited, stale)
	}
}
