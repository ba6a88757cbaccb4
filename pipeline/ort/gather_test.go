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

// together loads BlazeFace with a free batch, as on a device that wants fixed sizes and has two slots.
func together(t testing.TB) (alone, shared *Detector) {
	t.Helper()
	alone = detector(t)
	file, _ := rewritten(t, blazeFaceFile(t), freeBatch)
	source := Source{blazeFaceFile(t), func(string) ([]byte, error) { return os.ReadFile(file) }}
	shared, err := alone.session.rt.NewDetectorOf(source, alone.model, Running{Threads: 1, Most: 4, Fixed: true, Slots: 2})
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

// shifted is a frame's lower right part.
func shifted(f *pipeline.Frame, by int) *pipeline.Frame {
	s := *f
	s.Width, s.Height = f.Width-2*by, f.Height-2*by
	s.Y, s.U, s.V = f.Y[2*by*(f.YStride+1):], f.U[by*(f.CStride+1):], f.V[by*(f.CStride+1):]
	return &s
}

// Each of many who call at once gets the faces of his own frame, whatever shares its batch.
func TestDetectTogether(t *testing.T) {
	alone, shared := together(t)
	photo, _ := four(t)
	var sizes []int
	if err := shared.Warm(func(n int) { sizes = append(sizes, n) }); err != nil || !reflect.DeepEqual(sizes, []int{1, 2, 4}) {
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
		t.Errorf("%d batches were made, want one more than the slots at most", n)
	}
}

// While all slots are taken callers gather in one batch; who comes when that is full waits, and ends with his context.
func TestDetectTogetherFills(t *testing.T) {
	_, shared := together(t)
	g := shared.shared
	for range cap(g.slots) {
		g.slots <- struct{}{}
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
	for range cap(g.slots) {
		<-g.slots
	}
	all.Wait()
}

// slow counts the calls that run at once, of which the first waits for the second.
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

// On a device two batches are in flight though no processor is free, padded to fixed sizes, and everybody gets his own scores.
func TestBatchesInFlight(t *testing.T) {
	plain := classifier(t)
	how := Running{Threads: 1, Most: 8, Fixed: true, Slots: 2}
	device, err := plain.session.rt.NewClassifierOf(Source{Path: danFile(t)}, plain.model, how)
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	s := schedule.New(1, schedule.Batching{MaxCrops: 8, InFlight: 2})
	held := s.NewSlot()
	if err := held.Acquire(t.Context()); err != nil { // the only turn
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

// Once the memory is there, neither a padded batch nor a detection that is shared takes new memory of ours.
func TestSharedWorkAllocatesNothing(t *testing.T) {
	_, shared := together(t)
	photo, _ := four(t)
	var faces []pipeline.Face
	detect := func() {
		var err error
		if faces, err = shared.Detect(t.Context(), faces[:0], photo); err != nil {
			t.Fatal(err)
		}
	}
	detect()
	const binding = 16 // of the binding to ONNX Runtime, which makes small lists for each call
	if n := testing.AllocsPerRun(10, detect); n > binding {
		t.Errorf("%v allocations a detection", n)
	}
	device, err := shared.session.rt.NewClassifierOf(Source{Path: danFile(t)}, entry(t, "dan-ferplus").Model, Running{Threads: 1, Most: 4, Fixed: true, Slots: 2})
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
		t.Errorf("%v allocations a batch", n)
	}
}
