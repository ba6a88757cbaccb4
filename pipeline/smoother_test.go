package pipeline

import (
	"math"
	"testing"
	"time"
)

func TestSoftmax(t *testing.T) {
	got := Softmax(nil, []float32{1000, 1001, 999}, 2)
	want := []float64{math.Exp(-0.5), 1, math.Exp(-1)}
	sum := want[0] + want[1] + want[2]
	for i := range want {
		if math.Abs(float64(got[i])-want[i]/sum) > 1e-6 {
			t.Fatalf("got %v", got)
		}
	}
}

const tau = 300 * time.Millisecond

func TestSmootherLabelsANewFaceAtOnce(t *testing.T) {
	var s smoother
	s.add([]float32{0.1, 0.9}, tau, 0, time.Unix(5, 0))
	if s.shown != 1 || s.probs[1] != 0.9 {
		t.Fatalf("shown %d, probabilities %v", s.shown, s.probs)
	}
}

// The output depends on the input and on time, not on the number of measurements: here the input rises in a line for
// 600 ms, and the response of a filter of the first order to that is known.
func TestSmootherHasATimeConstant(t *testing.T) {
	const rise = 0.6 // seconds
	for _, fps := range []int{5, 10, 30, 60} {
		var s smoother
		began := time.Unix(5, 0)
		for n := range fps * 6 / 5 {
			at := float64(n) / float64(fps)
			p := float32(min(1, at/rise))
			s.add([]float32{1 - p, p}, tau, 0, began.Add(time.Duration(at*float64(time.Second))))
			x := tau.Seconds()
			want := at - x*(1-math.Exp(-at/x))
			if past := at - rise; past > 0 {
				want -= past - x*(1-math.Exp(-past/x))
			}
			if got := float64(s.probs[1]); math.Abs(got-want/rise) > 1e-4 {
				t.Errorf("%d fps: %v after %v s, want %v", fps, got, at, want/rise)
			}
		}
	}
}

// Between measurements the output moves towards the latest, and reading it does not change the next.
func TestSmootherAdvances(t *testing.T) {
	var s, other smoother
	now := time.Unix(5, 0)
	for _, p := range []float32{0.9, 0.2, 0.1} {
		s.add([]float32{p, 1 - p}, tau, 0, now)
		other.add([]float32{p, 1 - p}, tau, 0, now)
		from := s.probs[0]
		for ms := range 300 {
			at := now.Add(time.Duration(ms) * time.Millisecond)
			s.advance(tau, at)
			want := float64(p) + float64(from-p)*math.Exp(-at.Sub(now).Seconds()/tau.Seconds())
			if math.Abs(float64(s.probs[0])-want) > 1e-5 {
				t.Fatalf("%v after %d ms, want %v", s.probs[0], ms, want)
			}
		}
		now = now.Add(tau)
	}
	s.add([]float32{0.5, 0.5}, tau, 0, now)
	if other.add([]float32{0.5, 0.5}, tau, 0, now); math.Abs(float64(s.probs[0]-other.probs[0])) > 1e-6 {
		t.Errorf("%v with advance, %v without", s.probs, other.probs)
	}
	var fresh smoother
	if fresh.advance(tau, now); fresh.probs != nil {
		t.Error("advance without a measurement made probabilities")
	}
}

func TestSmootherMargin(t *testing.T) {
	const threshold = 0.5
	for _, c := range []struct {
		probs     []float32
		shown     int
		uncertain bool
		want      float32
	}{
		{[]float32{0.9, 0.1}, 0, false, 0.4},            // until it is uncertain
		{[]float32{0.55, 0.45}, 0, false, 0.05},         // likewise
		{[]float32{0.5, 0.58}, 0, false, 0},             // on the threshold
		{[]float32{0.52, 0.6}, 0, false, 0.02},          // until the other leads by the margin
		{[]float32{0.4, 0.1, 0.1}, 0, true, 0.15},       // until it is certain
		{[]float32{0.30, 0.28, 0.27}, 0, true, 3 * .02}, // until another is likeliest
		{[]float32{0.1, 0.8}, 0, false, -0.6},           // what is shown is another already
	} {
		s := smoother{probs: c.probs, shown: c.shown, uncertain: c.uncertain}
		if got := s.margin(threshold); abs(got-c.want) > 1e-5 {
			t.Errorf("%+v: margin %v, want %v", c.probs, got, c.want)
		}
	}
}

func TestSmootherDoesNotFlicker(t *testing.T) {
	var s smoother
	now := time.Unix(5, 0)
	changes, shown := 0, 0
	for i := range 300 { // ten seconds on the edge between two labels
		p := float32(0.5 + 0.2*math.Sin(float64(i)*1.9))
		s.add([]float32{p, 1 - p}, tau, 0, now)
		if i > 0 && s.shown != shown {
			changes++
		}
		shown = s.shown
		now = now.Add(time.Second / 30)
	}
	if changes > 0 {
		t.Errorf("the label changed %d times", changes)
	}
	for range 20 { // but a real change shows
		s.add([]float32{0.2, 0.8}, tau, 0, now)
		now = now.Add(time.Second / 30)
	}
	if s.shown != 1 {
		t.Error("a lasting change was not shown")
	}
}

// While no label is certain the likeliest is shown, whatever was shown before.
func TestSmootherFollowsWhileUncertain(t *testing.T) {
	const threshold = 0.45
	unclear := []float32{0.30, 0.34, 0.36}
	for before := range unclear {
		var s smoother
		first := []float32{0.1, 0.1, 0.1}
		first[before] = 0.8
		now := time.Unix(5, 0)
		for range 60 {
			s.add(first, tau, threshold, now)
			first, now = unclear, now.Add(time.Second/30)
		}
		if s.shown != 2 || !s.uncertain {
			t.Errorf("after label %d: shown %d of %v, uncertain %t", before, s.shown, s.probs, s.uncertain)
		}
	}
}

func TestSmootherWithoutTimeConstant(t *testing.T) {
	var s smoother
	s.add([]float32{1, 0}, 0, 0, time.Unix(5, 0))
	s.add([]float32{0, 1}, 0, 0, time.Unix(5, 0))
	if s.probs[1] != 1 || s.shown != 1 {
		t.Fatalf("shown %d, probabilities %v", s.shown, s.probs)
	}
	if s.add([]float32{0.51, 0.49}, 0, 0, time.Unix(5, 0)); s.shown != 0 {
		t.Error("the likeliest label is not shown")
	}
}

// Around the threshold, "uncertain" does not flicker either.
func TestSmootherUncertain(t *testing.T) {
	const threshold = 0.45
	steps := []struct {
		p    float32
		want bool
	}{{0.40, true}, {0.46, true}, {0.49, true}, {0.51, false}, {0.46, false}, {0.44, true}, {0.46, true}, {0.60, false}}
	var s smoother
	now := time.Unix(5, 0)
	for i, step := range steps {
		rest := (1 - step.p) / 2
		s.add([]float32{step.p, rest, rest}, 0, threshold, now)
		if s.uncertain != step.want {
			t.Errorf("step %d: uncertain %v at %v, want %v", i, s.uncertain, step.p, step.want)
		}
		now = now.Add(time.Second / 30)
	}
}
