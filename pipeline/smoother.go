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

// smoother steadies one face's probabilities: a running mean with a time constant, so that it does
// the same at any frame rate, and hysteresis on what is shown of them. Its zero value is ready.
type smoother struct {
	probs     []float32
	shown     int
	uncertain bool
	last      time.Time
}

// confidence is the smoothed probability of the label that is shown.
func (s *smoother) confidence() float32 { return s.probs[s.shown] }

// add takes the probabilities of the frame at now, which never goes back. The first are taken as they
// are, so that a new face is labelled at once. A confidence under threshold makes the label uncertain.
// Without a time constant, and while it is uncertain, the label is the likeliest: where none is shown for sure
// there is nothing to steady, and what is shown should not depend on what went before.
func (s *smoother) add(probs []float32, tau time.Duration, threshold float32, now time.Time) {
	if s.probs == nil {
		s.probs = append(s.probs, probs...)
		s.shown = argmax(probs)
		s.uncertain = s.confidence() < threshold
		s.last = now
		return
	}
	s.mix(probs, tau, now)
	if top := argmax(s.probs); tau <= 0 || s.uncertain || s.probs[top] > s.confidence()+switchMargin {
		s.shown = top
	}
	if s.uncertain {
		threshold += sureMargin
	}
	s.uncertain = s.confidence() < threshold
}

func (s *smoother) mix(probs []float32, tau time.Duration, now time.Time) {
	gain := float32(1)
	if tau > 0 {
		gain = float32(blendGain(now.Sub(s.last).Seconds(), tau))
	}
	s.last = now
	for i, p := range probs {
		s.probs[i] += gain * (p - s.probs[i])
	}
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
