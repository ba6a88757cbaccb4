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

// shippedSettings returns settings with the shipped models where "make build" puts them.
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

// facesOf returns the labels of an engine with these settings for a photograph of four faces.
func facesOf(t *testing.T, s Settings, overloaded bool) []pipeline.Label {
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
	a.Overloaded = overloaded
	var m pipeline.Message
	if err := a.Analyze(context.Background(), &m, photograph(t)); err != nil {
		t.Fatal(err)
	}
	if len(m.Faces) != 4 {
		t.Fatalf("%d faces, want 4", len(m.Faces))
	}
	return m.Faces
}

// furthest returns the largest difference between the scores of two lists of the same faces.
func furthest(a, b []pipeline.Label) (most float64) {
	for i := range a {
		for k := range a[i].Scores {
			most = max(most, math.Abs(float64(a[i].Scores[k]-b[i].Scores[k])))
		}
	}
	return most
}

// The shipped file gives nearly the same scores in 8 bits: always with INT8, and under overload with Auto.
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
	s.LoadFast, s.Device.Precision = true, Auto
	if d := furthest(exact, facesOf(t, s, false)); d != 0 {
		t.Errorf("a machine with room computes in 8 bits: the scores differ by %v", d)
	}
	want := exact
	if fastInt8() {
		want = small
	}
	if d := furthest(want, facesOf(t, s, true)); d != 0 {
		t.Errorf("on a overloaded machine the scores differ by %v from what this processor (integers: %t) is to "+
			"compute",
			d, fastInt8())
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
	for _, e := range []*Engine{{profile: profileFor(ort.CUDA)}, {profile: profileFor(ort.WebGPU)}} {
		if _, err := e.openInt8(models.Entry{}, pipeline.Model{}, "", s); err == nil ||
			!strings.Contains(err.Error(), "does not compute so") {
			t.Errorf("%s: %v", e.profile.provider, err)
		}
		if e.wantsFast(models.Entry{Ranges: map[string][2]float32{"input": {0, 1}}}, Settings{LoadFast: true}) {
			t.Errorf("%s loads integers", e.profile.provider)
		}
	}
	from, err := int8Source(models.Entry{Ranges: map[string][2]float32{"x": {0, 1}}},
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
