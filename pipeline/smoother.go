package pipeline

import (
	"math"
	"time"
)

// Softmax turns logits into probabilities at the given temperature and appends them to dst.
func Softmax(dst, logits []float32, temperature float32) []float32 {
	top := float32(math.Inf(-1))
	for _, v := range logits {
		top = max(top, v)
	}
	start, sum := len(dst), 0.0
	for _, v := range logits {
		e := math.Exp(float64((v - top) / temperature))
		sum += e
		dst = append(dst, float32(e))
	}
	for i := range dst[start:] {
		dst[start+i] = float32(float64(dst[start+i]) / sum)
	}
	return dst
}

const (
	switchMargin = 0.1  // by which another label's probability must exceed the shown one's to replace it
	sureMargin   = 0.05 // by which the confidence must exceed the threshold for a label to be certain again
)

// smoother steadies one face's probabilities by a low-pass filter of the first order, and what is shown of them by hysteresis.
// The filter is given a line from each measurement to the next, so that it does the same however often there is one,
// and after the latest it is given that. Its zero value is ready.
type smoother struct {
	probs     []float32 // what comes out, now
	shown     int
	uncertain bool

	measuredAt time.Time
	measured   []float32 // the latest measurement
	base       []float32 // what came out then
}

// confidence is the smoothed probability of the label that is shown.
func (s *smoother) confidence() float32 { return s.probs[s.shown] }

// add takes the probabilities of the frame at now, which never goes back. The first are taken as they
// are, so that a new face is labelled at once.
func (s *smoother) add(probs []float32, tau time.Duration, threshold float32, now time.Time) {
	if s.probs == nil {
		s.begin(probs, threshold, now)
		return
	}
	before, end := lowPass(now.Sub(s.measuredAt), tau)
	for i, p := range probs {
		s.base[i] = before*s.base[i] + (1-before-end)*s.measured[i] + end*p
	}
	copy(s.measured, probs)
	copy(s.probs, s.base)
	s.measuredAt = now
	s.choose(tau, threshold)
}

func (s *smoother) begin(probs []float32, threshold float32, now time.Time) {
	s.probs = append(s.probs, probs...)
	s.base = append(s.base, probs...)
	s.measured = append(s.measured, probs...)
	s.measuredAt = now
	s.shown = argmax(probs)
	s.uncertain = s.confidence() < threshold
}

// hold goes on to now without a measurement, choose aside. Where there was none at all it does nothing.
func (s *smoother) hold(tau time.Duration, now time.Time) {
	before, _ := lowPass(now.Sub(s.measuredAt), tau)
	for i := range s.probs {
		s.probs[i] = before*s.base[i] + (1-before)*s.measured[i]
	}
}

// choose says what is shown. A confidence under threshold makes the label uncertain.
// Without a time constant, and while it is uncertain, the label is the likeliest: where none is shown for sure
// there is nothing to steady, and what is shown should not depend on what went before.
func (s *smoother) choose(tau time.Duration, threshold float32) {
	if top := argmax(s.probs); tau <= 0 || s.uncertain || s.probs[top] > s.confidence()+switchMargin {
		s.shown = top
	}
	if s.uncertain {
		threshold += sureMargin
	}
	s.uncertain = s.confidence() < threshold
}

// slack is how far the probabilities are from where something else is shown: another label, that it is uncertain, or
// that it is no longer. What the label is while it is uncertain matters less, since it is hardly shown: there the
// lead of the likeliest counts unsureTie times.
func (s *smoother) slack(threshold float32) float32 {
	const unsureTie = 3
	top, second := s.confidence(), float32(0)
	for i, p := range s.probs {
		if i != s.shown {
			second = max(second, p)
		}
	}
	if s.uncertain {
		return min(threshold+sureMargin-top, unsureTie*(top-second))
	}
	return min(top-threshold, top+switchMargin-second)
}

// lowPass gives what a low-pass filter of the first order makes in dt of what goes in a line: the weights of what came out before
// and of the line's end. Its beginning has the rest.
func lowPass(dt, tau time.Duration) (before, end float32) {
	if tau <= 0 {
		return 0, 1
	}
	x := dt.Seconds() / tau.Seconds()
	if x < 1e-6 { // the limit
		return 1, 0
	}
	e := math.Exp(-x)
	return float32(e), float32(1 - (1-e)/x)
}

func argmax(v []float32) int {
	best := 0
	for i := range v {
		if v[i] > v[best] {
			best = i
		}
	}
	return best
}
