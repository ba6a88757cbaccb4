package ort

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"mindflow/pipeline"
	"mindflow/pipeline/schedule"
)

func classifier(t testing.TB) *Classifier {
	t.Helper()
	c, err := open(t).NewClassifier(danFile(t), entry(t, "dan-ferplus").Model, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// crops are n different inputs.
func crops(n int) []pipeline.Crop {
	x := wave(n, 96)
	list := make([]pipeline.Crop, n)
	for i := range list {
		list[i] = pipeline.Crop{Values: x[i*3*96*96 : (i+1)*3*96*96]}
	}
	return list
}

// Crops get the same scores whatever shares their batch, in the order of the crops.
func TestClassifyInBatches(t *testing.T) {
	c := classifier(t)
	all := crops(schedule.DefaultBatch + 3)
	already := []pipeline.Scores{{Logits: []float32{1}}}
	got, err := c.Classify(t.Context(), already, all)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1+len(all) || len(got[0].Logits) != 1 {
		t.Fatalf("%d scores for %d crops behind one that was there", len(got), len(all))
	}
	for i, crop := range all {
		alone, err := c.Classify(t.Context(), nil, []pipeline.Crop{crop})
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range alone[0].Logits {
			if d := math.Abs(float64(v - got[1+i].Logits[k])); d > 1e-4 {
				t.Errorf("crop %d, class %d: %g in a batch, %g alone", i, k, got[1+i].Logits[k], v)
			}
		}
	}
}

func TestClassifyFromManyGoroutines(t *testing.T) {
	c := classifier(t)
	all := crops(3)
	want, err := c.Classify(t.Context(), nil, all)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 3 * runtime.GOMAXPROCS(0) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			got, err := c.Classify(t.Context(), nil, all)
			if err != nil {
				t.Error(err)
				return
			}
			for i := range want {
				for k, v := range want[i].Logits {
					if got[i].Logits[k] != v {
						t.Errorf("crop %d, class %d: %g, want %g", i, k, got[i].Logits[k], v)
					}
				}
			}
		}()
	}
	wg.Wait()
}

func TestClassifyRefuses(t *testing.T) {
	c := classifier(t)
	if _, err := c.Classify(t.Context(), nil, []pipeline.Crop{{Values: make([]float32, 5)}}); err == nil ||
		!strings.Contains(err.Error(), "5 values") {
		t.Errorf("a short crop: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Classify(ctx, nil, crops(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v", err)
	}
	if scores, err := c.Classify(t.Context(), nil, nil); err != nil || len(scores) != 0 {
		t.Errorf("no crops gave %v, %v", scores, err)
	}
}

func BenchmarkClassify(b *testing.B) {
	c := classifier(b)
	for _, n := range []int{1, 4} {
		b.Run(fmt.Sprintf("%d faces", n), func(b *testing.B) {
			batch := crops(n)
			scores, err := c.Classify(b.Context(), nil, batch) // makes what later calls reuse
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if scores, err = c.Classify(b.Context(), scores[:0], batch); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A network may give more numbers than there are classes.
func TestClassifyTakesSlice(t *testing.T) {
	all := crops(3)
	dan := classifier(t)
	whole, err := dan.Classify(t.Context(), nil, all)
	if err != nil {
		t.Fatal(err)
	}
	m := entry(t, "dan-ferplus").Model
	m.Labels = m.Labels[2:7]
	m.Outputs = slices.Clone(m.Outputs)
	m.Outputs[0].Slice = &[2]int{2, 7}
	c, err := dan.session.rt.NewClassifier(danFile(t), m, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Classify(t.Context(), nil, all)
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		if !slices.Equal(got[i].Logits, whole[i].Logits[2:7]) {
			t.Errorf("crop %d: %v of %v", i, got[i].Logits, whole[i].Logits)
		}
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}
