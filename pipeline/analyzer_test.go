package pipeline

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

// fixed finds the same faces in every frame.
type fixed struct {
	faces []Face
	err   error
}

func (d fixed) Detect(_ context.Context, dst []Face, _ *Frame) ([]Face, error) {
	return append(dst, d.faces...), d.err
}

// swinging answers a different expression in every other batch.
type swinging struct {
	calls int
	err   error
	out   []Scores
}

func (c *swinging) Classify(_ context.Context, dst []Scores, crops []Crop) ([]Scores, error) {
	for len(c.out) < len(crops) {
		c.out = append(c.out, Scores{Logits: make([]float32, 2)})
	}
	for i := range crops {
		c.out[i].Logits[c.calls%2], c.out[i].Logits[1-c.calls%2] = 3, 0
		dst = append(dst, c.out[i])
	}
	c.calls++
	return dst, c.err
}

var twoFaces = []Face{{Box: Box{0.1, 0.1, 0.2, 0.3}, Score: 0.9}, {Box: Box{0.6, 0.4, 0.2, 0.3}, Score: 0.8}}

func analysis(d Detector, c Classifier) Analysis {
	model := Model{Input: grey96, Crop: &CropRule{Scale: 1.2}, Labels: []string{"neutral", "happy"}, Temperature: 1,
		Uncertain: 0.5}
	return Analysis{Detector: d, Classifier: c, MaxFaces: 4, Smoothing: 300 * time.Millisecond, Model: model}
}

// Decoders return the frames of H264 with B-frames out of order: the clock of smoothing must not run backwards.
func TestAnalyzerTakesFramesOutOfOrder(t *testing.T) {
	a := NewAnalyzer(analysis(fixed{faces: twoFaces}, &swinging{}))
	start := time.Now()
	for _, n := range []int{0, 4, 2, 1, 3, 8, 6, 5, 7, 25, 12, 30} {
		f := grey(64, 48, 90)
		f.Arrived = start.Add(time.Duration(n) * 33 * time.Millisecond)
		var m Message
		if err := a.Analyze(t.Context(), &m, f); err != nil {
			t.Fatal(err)
		}
		if len(m.Faces) != 2 || m.Faces[0].ID != 1 {
			t.Fatalf("frame %d: %+v", n, m.Faces)
		}
		for _, face := range m.Faces {
			sum := face.Scores[0] + face.Scores[1]
			if face.Scores[0] < 0 || face.Scores[1] < 0 || math.Abs(float64(sum)-1) > 1e-5 {
				t.Fatalf("frame %d: probabilities %v", n, face.Scores)
			}
		}
	}
}

func TestAnalyzerKeepsTheBestFaces(t *testing.T) {
	how := analysis(fixed{faces: twoFaces}, &swinging{})
	how.MaxFaces = 1
	f, m := grey(64, 48, 90), Message{}
	if err := NewAnalyzer(how).Analyze(t.Context(), &m, f); err != nil {
		t.Fatal(err)
	}
	if len(m.Faces) != 1 || m.Faces[0].Score != 0.9 || m.Width != 64 || m.Height != 48 || m.RTP != 90 {
		t.Errorf("%+v", m)
	}
}

func TestAnalyzerNamesTheStepThatFailed(t *testing.T) {
	broken := errors.New("broken")
	for step, how := range map[string]Analysis{
		"detect":   analysis(fixed{err: broken}, &swinging{}),
		"classify": analysis(fixed{faces: twoFaces}, &swinging{err: broken}),
	} {
		var m Message
		err := NewAnalyzer(how).Analyze(t.Context(), &m, grey(64, 48, 90))
		if !errors.Is(err, broken) || !strings.HasPrefix(err.Error(), step) {
			t.Errorf("%s: %v", step, err)
		}
	}
}

// The steady state allocates nothing.
func TestAnalyzerAllocations(t *testing.T) {
	a := NewAnalyzer(analysis(fixed{faces: twoFaces}, &swinging{}))
	f, m, ctx := grey(640, 480, 90), Message{}, t.Context()
	f.Arrived = time.Now()
	allocs := testing.AllocsPerRun(50, func() {
		f.Arrived = f.Arrived.Add(33 * time.Millisecond)
		if err := a.Analyze(ctx, &m, f); err != nil {
			t.Error(err)
		}
	})
	if allocs > 0 {
		t.Errorf("%v allocations in a frame", allocs)
	}
}

// Results depend on when frames were taken, not on when they arrived.
func TestAnalyzerUsesTheSendersClock(t *testing.T) {
	shown := func(late func(n int) time.Duration) (confidence []float32) {
		a := NewAnalyzer(analysis(fixed{faces: twoFaces[:1]}, &swinging{}))
		start := time.Now()
		var clock Clock
		for n := range 20 {
			f := grey(64, 48, 90)
			f.RTP, f.Arrived = uint32(n*rtpRate/30), start.Add(time.Duration(n)*time.Second/30+late(n))
			f.Taken = clock.At(f.RTP, f.Arrived)
			var m Message
			if err := a.Analyze(t.Context(), &m, f); err != nil {
				t.Fatal(err)
			}
			confidence = append(confidence, m.Faces[0].Confidence)
		}
		return confidence
	}
	steady := shown(func(int) time.Duration { return 0 })
	jittered := shown(func(n int) time.Duration { return time.Duration(n*n%7) * 40 * time.Millisecond })
	for n := range steady {
		if math.Abs(float64(steady[n]-jittered[n])) > 1e-6 {
			t.Errorf("frame %d: %g when it came in time, %g when it was late", n, steady[n], jittered[n])
		}
	}
}
