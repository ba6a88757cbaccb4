package server

import (
	"math"
	"time"
)

// LeastSide is the least Config.MaxSide that may be asked for, in pixels: web/PROTOCOL.md.
const LeastSide = 16

const (
	leastFramerate = 5    // frames a second; with fewer, faces can no longer be followed
	headroom       = 1.5  // times what is analysed: a turn finds a fresh frame, and spare capacity shows
	shareFew       = 0.7  // of the frames that came; analysing fewer, the session is sent too many …
	shareAll       = 0.95 // … and from here on it may be sent more
	leastChange    = 0.2  // of a rate; less is not worth an encoder's change
	leastFrames    = 5    // between two looks; of fewer, no share can be told
	mostWait       = 8    // looks before a rise, after rises that did not do well

	// inOneGo is the time within which frames count as decoded in one go, as after a repair. That only the
	// newest of them is analysed is the line's doing: fewer frames a second would not mend it.
	inOneGo = 10 * time.Millisecond
)

// pace finds the frame rate that a session can make use of: frames that come without a turn for them
// cost the publisher's line and our decoding. Owned by the control loop.
//
// It does not flap. A rise by headroom that turns out to be too much is, for a session that does as much as
// before, no change worth telling; for one that does less, on a machine that publishes as well, rises get rarer.
type pace struct {
	most int // frames a second to ask for at most; 0 asks for nothing
	rate int // asked for last

	last  frameCounts
	at    time.Time // of last
	short bool      // too few were analysed when last looked
	calm  int       // looks in a row that found nearly all analysed
	wait  int       // so many of them before a rise
	rose  bool      // the last change was a rise
}

// frameCounts are a session's frames so far.
type frameCounts struct {
	analysed uint64
	missed   uint64 // not analysed because something here, or the way back, was busy
}

func newPace(most int) pace { return pace{most: most, rate: most, wait: 1} }

// begin starts to measure.
func (p *pace) begin(now time.Time, c frameCounts) { p.at, p.last, p.short, p.calm = now, c, false, 0 }

// look goes by what came since the last look or beginning, and says whether another rate is to be asked
// for. A rate is lowered only when two looks in a row find too few analysed: one may be a hiccup, such as
// a start.
func (p *pace) look(now time.Time, c frameCounts) (changed bool) {
	analysed, missed := float64(c.analysed-p.last.analysed), float64(c.missed-p.last.missed)
	seconds, wasShort, calm := now.Sub(p.at).Seconds(), p.short, p.calm
	p.begin(now, c)
	if p.most == 0 || analysed+missed < leastFrames {
		return false
	}
	share := analysed / (analysed + missed)
	p.short = share < shareFew
	if share >= shareAll || missed <= 1 { // at few frames a second, one is more than a twentieth
		p.calm = calm + 1
	}
	switch {
	case p.short && wasShort:
		return p.change(analysed / seconds * headroom)
	case p.calm >= p.wait:
		return p.change(float64(p.rate) * headroom)
	}
	return false
}

// change asks for a rate, whole as encoders take it, unless it is about what was asked for.
func (p *pace) change(rate float64) (changed bool) {
	want := min(max(int(math.Round(rate)), leastFramerate), p.most)
	small := math.Abs(float64(want-p.rate)) < leastChange*float64(p.rate)
	if want == p.rate || small && want != p.most {
		return false
	}
	rise := want > p.rate
	switch {
	case rise && p.rose: // the last one did well
		p.wait = max(1, p.wait/2)
	case !rise && p.rose:
		p.wait = min(mostWait, 2*p.wait)
	}
	p.rate, p.rose, p.calm = want, rise, 0
	return true
}

// frameCounts counts the frames that tell how busy the session is. Those lost, broken or paused do not.
func (s *session) frameCounts() frameCounts {
	return frameCounts{
		analysed: s.analysed.Load(),
		missed:   s.waited.Load() + s.dropped[dropOverflow].Load() + s.dropped[dropCongested].Load(),
	}
}

// adjust asks the publisher for another frame rate when the session can make use of another. The control
// loop calls it every terms.hintEvery. A publisher without a control channel is left alone.
func (s *session) adjust(now time.Time) {
	switch {
	case s.control == nil:
	case s.paused.Load():
		s.pace.begin(now, s.frameCounts())
	case s.pace.look(now, s.frameCounts()):
		s.log.Debug("ask for another frame rate", "max_framerate", s.pace.rate)
		s.sayHint()
	}
}

// sayHint tells the publisher what the session can make use of.
func (s *session) sayHint() {
	if s.terms.maxSide == 0 && s.pace.rate == 0 {
		return
	}
	s.say(reply{Type: "hint", MaxSide: s.terms.maxSide, MaxFramerate: float64(s.pace.rate)})
}
