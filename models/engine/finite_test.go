package engine

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mindflow/models/onnx"
	"mindflow/pipeline"
	"mindflow/pipeline/ort"
)

// A network whose sums are too large for half precision fails the start, and is not checked in float32.
func TestNoNumbers(t *testing.T) {
	m := meanColours(false, 0)
	m.Graph.Initializers = []onnx.Tensor{onnx.NewFloat32("weights", []int64{3, 3},
		[]float64{math.Inf(1), 0, 0, 0, 1, 0, 0, 0, 1})}
	file := m.Marshal()
	entry := plainEntry(file, "scores", pipeline.Logits)
	path := filepath.Join(t.TempDir(), "m.onnx")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	rt, err := ort.Open(settings(t, t.TempDir()).Library)
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close()
	c, err := rt.NewClassifier(path, entry.Model, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	a := pipeline.Analysis{Classifier: c, Model: entry.Model}
	if err := (profile{half: true}).checkFinite(t.Context(), a); err == nil ||
		!strings.Contains(err.Error(), "model mean-colours gives no numbers in half precision") {
		t.Error(err)
	}
	if err := (profile{}).checkFinite(t.Context(), a); err != nil {
		t.Error(err)
	}
}
