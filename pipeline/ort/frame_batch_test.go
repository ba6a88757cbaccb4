package ort

import (
	"context"
	"errors"
	"os"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"

	"mindflow/pipeline"
	"mindflow/pipeline/schedule"
)

// sharedDetector loads BlazeFace with a free batch, as for a device with fixed sizes and two batches in flight.
func sharedDetector(t testing.TB) (alone, shared *Detector) {
	t.Helper()
	alone = detector(t)
	file, _ := rewritten(t, blazeFaceFile(t), freeBatch)
	source := Source{blazeFaceFile(t), func(string) ([]byte, error) { return os.ReadFile(file) }}
	opts := RunOptions{Threads: 1, MaxBatch: 4, FixedSizes: true, InFlight: 2}
	shared, err := alone.session.rt.NewDetectorFrom(source, alone.model, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := shared.Close(); err != nil {
			t.Error(err)
		}
	})
	return alone, shared
}

// shifted returns a frame without borders of 2·by pixels at the left and top.
func shifted(f *pipeline.Frame, by int) *pipeline.Frame {
	s := *f
	s.Width, s.Height = f.Width-2*by, f.Height-2*by
	s.Y, s.U, s.V = f.Y[2*by*(f.YStride+1):], f.U[by*(f.CStride+1):], f.V[by*(f.CStride+1):]
	return &s
}

// Each of many concurrent callers gets the faces of its own frame, whatever shares its batch.
func TestDetectShared(t *testing.T) {
	alone, shared := sharedDetector(t)
	photo, _ := four(t)
	var sizes []int
	if err := shared.Warm(func(n int) { sizes = append(sizes, n) }); err != nil ||
		!reflect.DeepEqual(sizes, []int{1, 2, 4}) {
		t.Fatal(sizes, err)
	}
	var all sync.WaitGroup
	for i := range 12 {
		f := shifted(photo, 3*i)
		want, err := alone.Detect(t.Context(), nil, f)
		if err != nil || len(want) == 0 {
			t.Fatal(want, err)
		}
		all.Add(1)
		go func() {
			defer all.Done()
			for range 4 {
				got, err := shared.Detect(t.Context(), nil, f)
				if err != nil || len(got) != len(want) {
					t.Errorf("frame %d: %d faces, alone %d: %v", i, len(got), len(want), err)
					return
				}
				for k := range got {
					if got[k].Box.IoU(want[k].Box) < 0.999 {
						t.Errorf("frame %d: a face at %v, alone at %v", i, got[k].Box, want[k].Box)
					}
				}
			}
		}()
	}
	all.Wait()
	if n := shared.shared.made; n > 3 {
		t.Errorf("%d batches were allocated, want one more than in flight at most", n)
	}
}

// While all batches are in flight callers gather in one batch; a caller that comes when that is full waits until its
// context ends.
func TestDetectSharedFills(t *testing.T) {
	_, shared := sharedDetector(t)
	g := shared.shared
	for range cap(g.inFlight) {
		g.inFlight <- struct{}{}
	}
	photo, _ := four(t)
	var all sync.WaitGroup
	call := func(ctx context.Context) {
		all.Add(1)
		go func() {
			defer all.Done()
			if faces, err := shared.Detect(ctx, nil, photo); err != nil || len(faces) != 4 {
				t.Errorf("%d faces, %v", len(faces), err)
			}
		}()
	}
	for range 4 {
		call(t.Context())
	}
	inside := func(n int) { // waits until so many have joined
		for {
			g.mu.Lock()
			in := g.inside
			g.mu.Unlock()
			if in == n {
				return
			}
			select {
			case <-t.Context().Done():
				t.Fatal(in)
			default:
			}
		}
	}
	inside(4)
	g.mu.Lock()
	made, forming := g.made, g.forming
	g.mu.Unlock()
	if made != 1 || forming != nil {
		t.Errorf("%d batches made, %v still forming; want one that is full", made, forming)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := shared.Detect(ended, nil, photo); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	for range cap(g.inFlight) {
		<-g.inFlight
	}
	all.Wait()
}

// slow counts the calls that run at once. The first waits for the second.
type slow struct {
	next   pipeline.Classifier
	wanted int32
	inside atomic.Int32
	met    chan struct{}
	once   sync.Once
}

func (s *slow) Classify(ctx context.Context, dst []pipeline.Scores, crops []pipeline.Crop) ([]pipeline.Scores, error) {
	if s.inside.Add(1) == s.wanted {
		s.once.Do(func() { close(s.met) })
	}
	defer s.inside.Add(-1)
	<-s.met
	return s.next.Classify(ctx, dst, crops)
}

// On a device two batches are in flight while no processor is free, padded to fixed sizes, and every stream gets its
// own scores.
func TestBatchesInFlight(t *testing.T) {
	plain := classifier(t)
	opts := RunOptions{Threads: 1, MaxBatch: 8, FixedSizes: true, InFlight: 2}
	device, err := plain.session.rt.NewClassifierFrom(Source{Path: danFile(t)}, plain.model, opts)
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	s := schedule.New(1, schedule.Batching{MaxCrops: 8, InFlight: 2})
	held := s.NewSlot()
	if err := held.Acquire(t.Context()); err != nil { // the only slot
		t.Fatal(err)
	}
	defer held.Release()
	meeting := &slow{next: device, wanted: 2, met: make(chan struct{})}
	all := crops(9)
	want, err := plain.Classify(t.Context(), nil, all)
	if err != nil {
		t.Fatal(err)
	}
	var streams sync.WaitGroup
	for i := range 3 {
		streams.Add(1)
		go func() {
			defer streams.Done()
			mine := s.NewSlot().Classifier("dan", meeting)
			for range 3 {
				got, err := mine.Classify(t.Context(), nil, all[3*i:3*i+3])
				if err != nil {
					t.Error(err)
					return
				}
				for k := range got {
					if d := worst(t, got[k].Logits, want[3*i+k].Logits); !(d <= 1e-4) {
						t.Errorf("stream %d, crop %d differs by %g", i, k, d)
					}
				}
			}
		}()
	}
	streams.Wait()
}

// Once the memory is there, neither a padded batch nor a shared detection allocates memory of ours.
func TestSharedWorkAllocatesNothing(t *testing.T) {
	_, shared := sharedDetector(t)
	photo, _ := four(t)
	var faces []pipeline.Face
	detect := func() {
		var err error
		if faces, err = shared.Detect(t.Context(), faces[:0], photo); err != nil {
			t.Fatal(err)
		}
	}
	detect()
	const binding = 16 // of the binding to ONNX Runtime, for each call
	if n := testing.AllocsPerRun(10, detect); n > binding {
		t.Errorf("%v allocations in a detection", n)
	}
	opts := RunOptions{Threads: 1, MaxBatch: 4, FixedSizes: true, InFlight: 2}
	device, err := shared.session.rt.NewClassifierFrom(
		Source{Path: danFile(t)}, entry(t, "dan-ferplus").Model, opts)
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	mine := schedule.New(1, schedule.Batching{MaxCrops: 4, InFlight: 2}).NewSlot().Classifier("dan", device)
	var scores []pipeline.Scores
	three := crops(3) // padded to four
	classify := func() {
		var err error
		if scores, err = mine.Classify(t.Context(), scores[:0], three); err != nil {
			t.Fatal(err)
		}
	}
	classify()
	if n := testing.AllocsPerRun(10, classify); n > binding {
		t.Errorf("%v allocations in a batch", n)
	}
}
