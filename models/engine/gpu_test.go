package engine

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"mindflow/pipeline"
	"mindflow/pipeline/ort"
	"mindflow/pipeline/schedule"
)

// asOnGPU loads the shipped models on the CPU with a GPU's profile.
func asOnGPU(t *testing.T, s Settings) *Engine {
	t.Helper()
	detect, detectFile := entryOf(t, "blazeface-back")
	classify, classifyFile := entryOf(t, "dan-ferplus")
	rt, err := ort.Open(s.Library)
	if err != nil {
		t.Fatal(err)
	}
	e := &Engine{runtime: rt, profile: gpu(), close: []func() error{rt.Close}}
	e.profile.maxFaces, e.profile.maxFrames = 4, 4
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	e.schedule(s)
	d, err := e.openDetector(detect, detectFile, s)
	if err != nil {
		t.Fatal(err)
	}
	e.close = append(e.close, d.Close)
	how, err := e.addClassifier(pipeline.Analysis{Detector: d, MaxFaces: s.MaxFaces}, classify, classify.Model,
		classifyFile,
		s)
	if err != nil {
		t.Fatal(err)
	}
	e.Analysis, e.Analyses = how, []pipeline.Analysis{how}
	return e
}

// Several sessions at once, with detections and faces in shared and padded batches of bytes in half precision, each
// get the results for their own pictures that one session gets on the CPU.
func TestAsOnAGPU(t *testing.T) {
	s := settings(t, t.TempDir())
	photo := photograph(t)
	const sessions = 6
	frames := make([]*pipeline.Frame, sessions)
	for i := range frames { // each starts further down
		f := *photo
		f.Height -= 20 * i
		f.Y, f.U, f.V = f.Y[20*i*f.YStride:], f.U[10*i*f.CStride:], f.V[10*i*f.CStride:]
		frames[i] = &f
	}
	alone := make([][]pipeline.Label, sessions)
	t.Run("alone", func(t *testing.T) {
		plain := s
		plain.Classifiers = []string{"dan-ferplus"}
		if err := linkModel(t, s.Models, "dan-ferplus"); err != nil {
			t.Fatal(err)
		}
		e, err := Open(plain)
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		for i, f := range frames {
			alone[i] = analyze(t, pipeline.NewAnalyzer(e.Analysis), e.Scheduler.NewSlot(), f)
		}
	})
	e := asOnGPU(t, s)
	var mu sync.Mutex
	var warmed []string
	s.OnWarmUp = func(network string, batch, most int) {
		mu.Lock()
		defer mu.Unlock()
		warmed = append(warmed, fmt.Sprintf("%s %d of %d", network, batch, most))
	}
	if err := e.WarmUp(s); err != nil {
		t.Fatal(err)
	}
	want := []string{"blazeface-back 1 of 4", "blazeface-back 2 of 4", "blazeface-back 4 of 4", "dan-ferplus 1 of 4",
		"dan-ferplus 2 of 4", "dan-ferplus 4 of 4"}
	if !slices.Equal(warmed, want) {
		t.Errorf("%q, want %q", warmed, want)
	}
	var work sync.WaitGroup
	for i, f := range frames {
		work.Add(1)
		go func() {
			defer work.Done()
			slot := e.Scheduler.NewSlot()
			how := e.Analysis
			how.Classifier = slot.Classifier("dan-ferplus", how.Classifier)
			for range 2 {
				same(t, i, analyze(t, pipeline.NewAnalyzer(how), slot, f), alone[i])
			}
		}()
	}
	work.Wait()
}

// analyze analyses a frame as a session does: it detects in a slot, and classifies outside of it.
func analyze(t *testing.T, a *pipeline.Analyzer, slot *schedule.Slot, f *pipeline.Frame) []pipeline.Label {
	var m pipeline.Message
	if err := slot.Acquire(context.Background()); err != nil {
		t.Error(err)
		return nil
	}
	err := a.Detect(context.Background(), &m, f)
	slot.Release()
	if err == nil {
		err = a.Classify(context.Background(), &m)
	}
	if err != nil {
		t.Error(err)
	}
	return m.Faces
}

// same checks that two ways give the same faces, with probabilities that differ by rounding only.
func same(t *testing.T, session int, got, want []pipeline.Label) {
	if len(got) != len(want) || len(got) == 0 {
		t.Errorf("session %d: %d faces, alone %d", session, len(got), len(want))
		return
	}
	for i := range got {
		if got[i].Label != want[i].Label {
			t.Errorf("session %d: face %d is %s, alone %s", session, i, got[i].Label, want[i].Label)
		}
		for k, p := range got[i].Scores {
			if d := p - want[i].Scores[k]; d > 0.02 || d < -0.02 {
				t.Errorf("session %d: face %d has %v, alone %v", session, i, got[i].Scores, want[i].Scores)
				break
			}
		}
	}
}
