package engine

import (
	"context"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"mindflow/models"
	"mindflow/models/onnx"
	"mindflow/pipeline"
	"mindflow/pipeline/ort"
)

// shippedSettings has the models that come with Mindflow where "make build" puts them.
func shippedSettings(t *testing.T) Settings {
	t.Helper()
	s := settings(t, t.TempDir())
	s.Classifiers = []string{"dan-ferplus"}
	folder, err := filepath.Abs(filepath.Join("..", "..", "bin", "models"))
	if err != nil {
		t.Fatal(err)
	}
	s.Models = folder
	return s
}

// facesOf is what an engine with these settings sees of a photograph of four.
func facesOf(t *testing.T, s Settings, crowded bool) []pipeline.Label {
	t.Helper()
	e, err := Open(s)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	a := e.NewAnalyzer()
	a.Overloaded = crowded
	var m pipeline.Message
	if err := a.Analyze(context.Background(), &m, photograph(t)); err != nil {
		t.Fatal(err)
	}
	if len(m.Faces) != 4 {
		t.Fatalf("%d faces, want 4", len(m.Faces))
	}
	return m.Faces
}

// furthest is the largest difference between the scores of two lists of the same faces.
func furthest(a, b []pipeline.Label) (most float64) {
	for i := range a {
		for k := range a[i].Scores {
			most = max(most, math.Abs(float64(a[i].Scores[k]-b[i].Scores[k])))
		}
	}
	return most
}

// The shipped file says nearly the same in 8 bits: always where that is wanted, and on a crowded machine where
// nothing is said.
func TestIntegers(t *testing.T) {
	s := shippedSettings(t)
	s.Device.Precision = FP32
	exact := facesOf(t, s, true)
	s.Device.Precision = INT8
	small := facesOf(t, s, false)
	if d := furthest(exact, small); d == 0 || d > 0.1 {
		t.Errorf("in 8 bits the scores differ by %v", d)
	}
	for i := range exact {
		if exact[i].Label != small[i].Label {
			t.Errorf("face %d is %s, and in 8 bits %s", i, exact[i].Label, small[i].Label)
		}
	}
	s.Many, s.Device.Precision = true, Auto
	if d := furthest(exact, facesOf(t, s, false)); d != 0 {
		t.Errorf("a machine with room computes in 8 bits: the scores differ by %v", d)
	}
	want := exact
	if quickIntegers() {
		want = small
	}
	if d := furthest(want, facesOf(t, s, true)); d != 0 {
		t.Errorf("on a crowded machine the scores differ by %v from what this processor (integers: %t) is to compute",
			d, quickIntegers())
	}
}

func TestIntegersRefused(t *testing.T) {
	dir := t.TempDir()
	file := meanColours(false, 0).Marshal()
	add(t, dir, file, plainEntry(file, "scores", pipeline.Logits))
	s := settings(t, dir)
	s.Device.Precision = INT8
	if _, err := Open(s); err == nil ||
		!strings.Contains(err.Error(), "Precision int8: model mean-colours: the ranges") {
		t.Errorf("a model without ranges: %v", err)
	}
	for _, e := range []*Engine{{form: formFor(ort.CUDA)}, {form: formFor(ort.WebGPU)}} {
		if _, err := e.openIntegers(models.Entry{}, pipeline.Model{}, "", s); err == nil ||
			!strings.Contains(err.Error(), "does not compute so") {
			t.Errorf("%s: %v", e.form.provider, err)
		}
		if e.hurries(models.Entry{Ranges: map[string][2]float32{"input": {0, 1}}}, Settings{Many: true}) {
			t.Errorf("%s loads integers", e.form.provider)
		}
	}
	from, err := integers(models.Entry{Ranges: map[string][2]float32{"x": {0, 1}}},
		filepath.Join(dir, "mean-colours.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	data, err := from.Graph(ort.CPU)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := onnx.Parse(data); err != nil {
		t.Error(err)
	}
}
