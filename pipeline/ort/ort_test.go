package ort

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"mindflow/models"
	"mindflow/models/checkpoint"
	"mindflow/models/dan"
	"mindflow/pipeline/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// open starts the runtime for one test. Closing it at the end fails unless the test closed every session and tensor.
func open(t testing.TB) *Runtime {
	t.Helper()
	r, err := Open(testkit.ORTLibrary(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func entry(t testing.TB, name string) models.Entry {
	t.Helper()
	manifest, err := models.Default()
	if err != nil {
		t.Fatal(err)
	}
	e, err := manifest.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func verified(t testing.TB, dir string, e models.Entry) string {
	t.Helper()
	path, err := models.Verify(dir, e)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func danFile(t testing.TB) string {
	return verified(t, "../../models/weights", entry(t, "dan-ferplus"))
}

// blazeFaceFile returns the detector that "make build" puts in place, or that of the folder MINDFLOW_MODELS.
func blazeFaceFile(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("MINDFLOW_MODELS")
	if dir == "" {
		dir = "../../bin/models"
	}
	e := entry(t, "blazeface-back")
	testkit.File(t, filepath.Join(dir, e.File), `run "make build", or name the folder in MINDFLOW_MODELS`)
	return verified(t, dir, e)
}

func readJSON(t testing.TB, path string, v any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// export writes a checkpoint's network to a file, in float32.
func export(t testing.TB, tensors map[string]checkpoint.Tensor) string {
	t.Helper()
	model, _, err := dan.Build(tensors, dan.FP32)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "dan.onnx")
	if err := os.WriteFile(path, model.Marshal(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// wave returns the input of the golden files, by their formula: [n,3,s,s].
func wave(n, s int) []float32 {
	x := make([]float32, 0, n*3*s*s)
	for b := range n {
		for c := range 3 {
			for i := range s {
				for j := range s {
					x = append(x, float32(math.Sin(0.013*float64((c+1)*i)+0.017*float64((b+1)*j)+0.5*float64(b))))
				}
			}
		}
	}
	return x
}

// run runs a network once and returns its outputs. Shapes are for one picture.
func run(t testing.TB, s *session, x []float32, input []int64, outputs ...[]int64) [][]float32 {
	t.Helper()
	n := len(x)
	for _, d := range input {
		n /= int(d)
	}
	w := newWorkspace(s, RunOptions{MaxBatch: n}, false, input, outputs...)
	defer func() {
		if err := w.close(); err != nil {
			t.Error(err)
		}
	}()
	copy(w.input.Values, x)
	if err := w.run(n); err != nil {
		t.Fatal(err)
	}
	return w.results
}

// worst returns the largest difference, relative where the wanted value is over one.
func worst[T float32 | float64](t testing.TB, got []float32, want []T) float64 {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d values, want %d", len(got), len(want))
	}
	var largest float64
	for i, w := range want {
		d := math.Abs(float64(got[i])-float64(w)) / math.Max(1, math.Abs(float64(w)))
		if !(d <= largest) { // a NaN is worst
			largest = d
		}
	}
	return largest
}
