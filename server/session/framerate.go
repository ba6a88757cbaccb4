package session

import (
	"math"
	"time"
)

// LeastSide is the least Config.MaxSide that may be asked for, in pixels: web/PROTOCOL.md.
const LeastSide = 16

const (
	leastFramerate = 5    // frames a second; with fewer, faces cannot be tracked
	headroom       = 1.5  // times the analysed rate: frames are fresh at their slot, and spare capacity shows
	shareFew       = 0.7  // of the frames that came: when fewer are analysed, the publisher sends too many …
	shareAll       = 0.95 // … and from this share on it may send more
	leastChange    = 0.2  // of a rate; a smaller change is not worth an encoder's reconfiguration
	leastFrames    = 5    // between two looks, to compute a share of
	mostWait       = 8    // looks before a rise, after rises that were taken back
)

// frameRate finds the frame rate that a session can use: frames that get no slot cost the publisher's line and the
// server's decoding. It is owned by the control loop.
//
// It does not oscillate. When a rise by headroom turns out too high and the session analyses as much as before, the
// change back is too small to make. When it analyses less, because the publisher runs on the same machine, rises become
// rarer.
type frameRate struct {
	most int // frames a second to ask for at most; zero means that nothing is asked
	rate int // asked for last

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

// look evaluates the frames since the last look or beginning. It reports whether another rate is to be asked for. A
// rate is lowered only when two looks in a row find too few analysed: one may be a hiccup, such as a start.
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

// change sets a rate, as a whole number since encoders take no other, unless it is close to the last one.
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

// frameCounts returns the frames that show how busy the session is: none that were lost, damaged or paused.
func (s *Session) frameCounts() frameCounts {
	return frameCounts{
		analysed: s.analysed.Load(),
		missed:   s.waited.Load() + s.dropped[dropOverflow].Load() + s.dropped[dropCongested].Load(),
	}
}

// adjustFrameRate asks the publisher for another frame rate when the session can use another. A publisher without a
// control channel is not asked.
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
