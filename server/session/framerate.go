package session

import (
	"math"
	"time"
)

// LeastSide is the smallest allowed value of Config.MaxSide, in pixels: web/PROTOCOL.md.
const LeastSide = 16

const (
	leastFramerate = 5    // frames a second; with fewer, faces cannot be tracked
	headroom       = 1.5  // x the analysed rate: a fresh frame waits for each slot, and spare capacity can be measured
	shareFew       = 0.7  // analysed/arrived frames; under this share the publisher sends too many …
	shareAll       = 0.95 // … and from this share on it may send more
	leastChange    = 0.2  // of a rate; a smaller change is not worth an encoder's reconfiguration
	leastFrames    = 5    // fewest frames between two looks from which a share is computed
	mostWait       = 8    // most looks to wait before a rise; wait doubles each time that a rise is taken back
)

// frameRate finds the frame rate that a session can analyse. A frame that gets no slot wastes the publisher's bandwidth
// and the server's decoding time. The control loop owns it.
//
// It does not oscillate. Suppose that a rise by headroom was too high. If the session still analyses as many frames,
// the correction is under leastChange, so the rate stays. If it analyses fewer (the publisher runs on the same
// machine), the rate falls, and the next rise waits longer.
type frameRate struct {
	most int // the highest rate to ask for, in frames a second; zero disables frame-rate control
	rate int // the rate last asked for

	last  frameCounts
	at    time.Time // of last
	short bool      // too few were analysed at the last look
	calm  int       // looks in a row that found nearly all analysed
	wait  int       // looks of calm before a rise
	rose  bool      // the last change was a rise
}

// frameCounts are a session's frames so far.
type frameCounts struct {
	analysed uint64
	missed   uint64 // not analysed because the server, or the line back, was busy
}

func newFrameRate(most int) frameRate { return frameRate{most: most, rate: most, wait: 1} }

// begin starts a measurement.
func (r *frameRate) begin(now time.Time, c frameCounts) {
	r.at, r.last, r.short, r.calm = now, c, false, 0
}

// look evaluates the frames since the last look or begin. It reports whether the rate changed, so that the publisher
// must be asked for it. It lowers the rate only after two looks in a row that found too few frames analysed: one may be
// a brief delay, such as at the start.
func (r *frameRate) look(now time.Time, c frameCounts) (changed bool) {
	analysed, missed := float64(c.analysed-r.last.analysed), float64(c.missed-r.last.missed)
	seconds, wasShort, calm := now.Sub(r.at).Seconds(), r.short, r.calm
	r.begin(now, c)
	if r.most == 0 || analysed+missed < leastFrames {
		return false
	}
	share := analysed / (analysed + missed)
	r.short = share < shareFew
	if share >= shareAll || missed <= 1 { // at few frames a second, one is more than a twentieth
		r.calm = calm + 1
	}
	switch {
	case r.short && wasShort:
		return r.change(analysed / seconds * headroom)
	case r.calm >= r.wait:
		return r.change(float64(r.rate) * headroom)
	}
	return false
}

// change sets a rate, rounded because encoders take only whole numbers. A rate close to the last one is not set.
func (r *frameRate) change(rate float64) (changed bool) {
	want := min(max(int(math.Round(rate)), leastFramerate), r.most)
	small := math.Abs(float64(want-r.rate)) < leastChange*float64(r.rate)
	if want == r.rate || small && want != r.most {
		return false
	}
	rise := want > r.rate
	switch {
	case rise && r.rose: // the last rise was not taken back
		r.wait = max(1, r.wait/2)
	case !rise && r.rose:
		r.wait = min(mostWait, 2*r.wait)
	}
	r.rate, r.rose, r.calm = want, rise, 0
	return true
}

// frameCounts returns the frames that were analysed, and those that were missed because the server or the line was
// busy. Lost, damaged and paused frames do not count.
func (s *Session) frameCounts() frameCounts {
	return frameCounts{
		analysed: s.analysed.Load(),
		missed:   s.waited.Load() + s.dropped[dropOverflow].Load() + s.dropped[dropCongested].Load(),
	}
}

// adjustFrameRate asks the publisher for another frame rate if the session can use one. It does nothing for a publisher
// without a control channel.
func (s *Session) adjustFrameRate(now time.Time) {
	switch {
	case s.control == nil:
	case s.paused.Load():
		s.frameRate.begin(now, s.frameCounts())
	case s.frameRate.look(now, s.frameCounts()):
		s.log.Debug("ask for another frame rate", "max_framerate", s.frameRate.rate)
		s.sayHint()
	}
}
