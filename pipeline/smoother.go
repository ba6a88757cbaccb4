package pipeline

import (
	"math"
	"time"
)

// Softmax appends the probabilities of logits at the given temperature to dst.
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
	switchMargin  = 0.1  // by which another label's probability must exceed that of the shown label to replace it
	certainMargin = 0.05 // by which the confidence must exceed the threshold for an uncertain label to be certain again
)

// smoother smooths one face's probabilities with a low-pass filter of the first order, and the shown label with
// hysteresis. The filter's input is a line from each measurement to the next, so that the result does not depend on how
// often there is one; after the latest measurement the input stays constant. The zero value is ready to use.
type smoother struct {
	probs     []float32 // the filter's output, now
	shown     int       // index of the label
	uncertain bool

	measuredAt time.Time
	measured   []float32 // the latest measurement
	base       []float32 // the filter's output then
}

// confidence returns the smoothed probability of the shown label.
func (s *smoother) confidence() float32 { return s.probs[s.shown] }

// add adds the probabilities of the frame at now, which never decreases. The first are taken as they are, so that a new
// face has its label at once.
func (s *smoother) add(probs []float32, tau time.Duration, threshold float32, now time.Time) {
	if s.probs == nil {
		s.init(probs, threshold, now)
		return
	}
	before, end := lowPass(now.Sub(s.measuredAt), tau)
	for i, p := range probs {
		s.base[i] = before*s.base[i] + (1-before-end)*s.measured[i] + end*p
	}
	copy(s.measured, probs)
	copy(s.probs, s.base)
	s.measuredAt = now
	s.decide(tau, threshold)
}

func (s *smoother) init(probs []float32, threshold float32, now time.Time) {
	s.probs = append(s.probs, probs...)
	s.base = append(s.base, probs...)
	s.measured = append(s.measured, probs...)
	s.measuredAt = now
	s.shown = argmax(probs)
	s.uncertain = s.confidence() < threshold
}

// advance moves the filter's output to now without a measurement. Before the first measurement it does nothing. Call
// decide next.
func (s *smoother) advance(tau time.Duration, now time.Time) {
	before, _ := lowPass(now.Sub(s.measuredAt), tau)
	for i := range s.probs {
		s.probs[i] = before*s.base[i] + (1-before)*s.measured[i]
	}
}

// decide sets the shown label, which is uncertain where its confidence is under threshold. Without a time constant,
// and while the label is uncertain, it is the likeliest one: then there is nothing to stabilise, and what is shown
// should not depend on what was shown before.
func (s *smoother) decide(tau time.Duration, threshold float32) {
	if top := argmax(s.probs); tau <= 0 || s.uncertain || s.probs[top] > s.confidence()+switchMargin {
		s.shown = top
	}
	if s.uncertain {
		threshold += certainMargin
	}
	s.uncertain = s.confidence() < threshold
}

// margin returns how far the probabilities are from where something else would be shown: another label, or the same
// one as uncertain or as certain. The label itself matters less while it is uncertain, since pages hardly show it:
// there the lead of the likeliest label counts uncertainLead times.
func (s *smoother) margin(threshold float32) float32 {
	const uncertainLead = 3
	top, second := s.confidence(), float32(0)
	for i, p := range s.probs {
		if i != s.shown {
			second = max(second, p)
		}
	}
	if s.uncertain {
		return min(threshold+certainMargin-top, uncertainLead*(top-second))
	}
	return min(top-threshold, top+switchMargin-second)
}

// lowPass returns the weights that make up the output of a low-pass filter of the first order after an input that
// runs in a line for dt: of the output before and of the line's end. The line's beginning has the rest.
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
