package ort

import (
	"fmt"
	"testing"

	"mindflow/models/checkpoint"
	"mindflow/pipeline/testkit"
)

// golden holds the outputs of DAN in PyTorch for wave, in float32.
type golden struct {
	Cases []struct {
		Batch  int             `json:"batch"`
		Size   int             `json:"size"`
		Logits [][]float64     `json:"logits"`
		Gates  [][][][]float64 `json:"gates"`
	} `json:"cases"`
}

func checkGolden(t *testing.T, path, file string, tolerance float64) {
	var g golden
	readJSON(t, file, &g)
	if len(g.Cases) == 0 {
		t.Fatalf("%s has no cases", file)
	}
	r := open(t)
	s, err := r.newSession(plan{name: "dan", path: path, input: "input", outputs: []string{"logits", "attention"},
		threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	for _, c := range g.Cases {
		t.Run(fmt.Sprintf("%d of %d pixels", c.Batch, c.Size), func(t *testing.T) {
			size, heads, places := int64(c.Size), int64(len(c.Gates[0])), int64(len(c.Gates[0][0]))
			out := run(t, s, wave(c.Batch, c.Size), []int64{3, size, size},
				[]int64{int64(len(c.Logits[0]))}, []int64{heads, places, places})
			var logits, gates []float64
			for _, row := range c.Logits {
				logits = append(logits, row...)
			}
			for _, picture := range c.Gates {
				for _, head := range picture {
					for _, row := range head {
						gates = append(gates, row...)
					}
				}
			}
			for i, want := range [][]float64{logits, gates} {
				d := worst(t, out[i], want)
				t.Logf("output %d: largest difference %.2g", i, d)
				if !(d <= tolerance) {
					t.Errorf("output %d differs by %.2g, allowed is %.2g", i, d, tolerance)
				}
			}
		})
	}
}

func weights(t *testing.T, path string) map[string]checkpoint.Tensor {
	t.Helper()
	f, err := checkpoint.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tensors, err := f.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return tensors
}

func TestGoldenFloat32(t *testing.T) {
	tensors := weights(t, testkit.SharedFile(t, "models", "dan-ferplus.pth"))
	checkGolden(t, export(t, tensors), testkit.SharedFile(t, "reference", "golden.json"), 1e-4)
}

// PyTorch's outputs with the committed weights (models/training/golden.py, of the result of unfold.py).
func TestGoldenCommitted(t *testing.T) {
	checkGolden(t, danFile(t), "testdata/golden-96.json", 1e-4)
}
