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

// asOnGPU loads the shipped models as for a GPU, but for the CPU.
func asOnGPU(t *testing.T, s Settings) *Engine {
	t.Helper()
	detect, detectFile := entryOf(t, "blazeface-back")
	classify, classifyFile := entryOf(t, "dan-ferplus")
	rt, err := ort.Open(s.Library)
	if err != nil {
		t.Fatal(err)
	}
	e := &Engine{runtime: rt, form: gpu(), close: []func() error{rt.Close}}
	e.form.faces, e.form.frames = 4, 4
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
	how, err := e.classify(pipeline.Analysis{Detector: d, MaxFaces: s.MaxFaces}, classify, classify.Model, classifyFile,
		s)
	if err != nil {
		t.Fatal(err)
	}
	e.Analysis, e.Analyses = how, []pipeline.Analysis{how}
	return e
}

// Several sessions at once, with detections and faces in shared and padded batches of bytes in half precision, each
// see in their own pictures what one session alone sees on the CPU.
func TestAsOnAGPU(t *testing.T) {
	s := settings(t, t.TempDir())
	photo := photograph(t)
	const sessions = 6
	frames := make([]*pipeline.Frame, sessions)
	for i := range frames { // every one begins further down
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
			alone[i] = look(t, pipeline.NewAnalyzer(e.Analysis), e.Scheduler.NewSlot(), f)
		}
	})
	e := asOnGPU(t, s)
	var mu sync.Mutex
	var told []string
	s.Warming = func(network string, batch, most int) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, fmt.Sprintf("%s %d of %d", network, batch, most))
	}
	if err := e.Fill(s); err != nil {
		t.Fatal(err)
	}
	want := []string{"blazeface-back 1 of 4", "blazeface-back 2 of 4", "blazeface-back 4 of 4", "dan-ferplus 1 of 4",
		"dan-ferplus 2 of 4", "dan-ferplus 4 of 4"}
	if !slices.Equal(told, want) {
		t.Errorf("%q, want %q", told, want)
	}
	var work sync.WaitGroup
	for i, f := range frames {
		work.Add(1)
		go func() {
			defer work.Done()
			seat := e.Scheduler.NewSlot()
			how := e.Analysis
			how.Classifier = seat.Classifier("dan-ferplus", how.Classifier)
			for range 2 {
				same(t, i, look(t, pipeline.NewAnalyzer(how), seat, f), alone[i])
			}
		}()
	}
	work.Wait()
}

// look analyses a frame as a session does: finding faces in a turn, classifying them beside it.
func look(t *testing.T, a *pipeline.Analyzer, seat *schedule.Slot, f *pipeline.Frame) []pipeline.Label {
	var m pipeline.Message
	if err := seat.Acquire(context.Background()); err != nil {
		t.Error(err)
		return nil
	}
	err := a.Detect(context.Background(), &m, f)
	seat.Release()
	if err == nil {
		err = a.Classify(context.Background(), &m)
	}
	if err != nil {
		t.Error(err)
	}
	return m.Faces
}

// same compares what two ways see: the same faces, and probabilities that differ by rounding.
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
