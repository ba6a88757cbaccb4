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

// The response to a step depends on time, not on the number of frames.
func TestSmootherHasATimeConstant(t *testing.T) {
	for _, fps := range []int{5, 10, 30, 60} {
		var s smoother
		now := time.Unix(5, 0)
		s.add([]float32{1, 0}, tau, 0, now)
		for now.Sub(time.Unix(5, 0)) < 600*time.Millisecond {
			now = now.Add(time.Second / time.Duration(fps))
			s.add([]float32{0, 1}, tau, 0, now)
		}
		want := 1 - math.Exp(-now.Sub(time.Unix(5, 0)).Seconds()/tau.Seconds())
		if got := float64(s.probs[1]); math.Abs(got-want) > 1e-3 {
			t.Errorf("%d fps: %v after %v, want %v", fps, got, now.Sub(time.Unix(5, 0)), want)
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

// Where no label is certain the likeliest is named, however it came to that.
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

// Around the threshold the mark does not flicker either.
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
