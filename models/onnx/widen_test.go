package onnx

import (
	"math"
	"slices"
	"testing"
)

func TestWiden(t *testing.T) {
	g := Graph{
		Nodes: []Node{
			{Op: "Cast", Name: "w", Inputs: []string{"w.half"}, Outputs: []string{"w"},
				Attributes: []Attribute{Int("to", int64(Float32))}},
			{Op: "Cast", Name: "y", Inputs: []string{"x"}, Outputs: []string{"y"},
				Attributes: []Attribute{Int("to", int64(Float32))}},
			{Op: "Constant", Name: "k", Outputs: []string{"k"}},
			{Op: "Add", Name: "z", Inputs: []string{"y", "other"}, Outputs: []string{"z"}},
		},
		Initializers: []Tensor{NewFloat16("w.half", []int64{2}, []float64{1.5, -0.25}),
			NewFloat16("other", []int64{1}, []float64{1})},
	}
	w := g.Widen()
	var nodes, constants []string
	for _, n := range w.Nodes {
		nodes = append(nodes, n.Name)
	}
	for _, c := range w.Initializers {
		constants = append(constants, c.Name)
	}
	if !slices.Equal(nodes, []string{"y", "k", "z"}) || !slices.Equal(constants, []string{"w", "other"}) {
		t.Fatalf("nodes %q, constants %q", nodes, constants)
	}
	if c := w.Initializers[0]; c.Type != Float32 || !slices.Equal(c.Dims, []int64{2}) || floatAt(c.raw, 0) != 1.5 ||
		floatAt(c.raw, 1) != -0.25 {
		t.Errorf("%+v", c)
	}
	if len(g.Nodes) != 4 || len(g.Initializers) != 2 {
		t.Error("the first graph was changed")
	}
}

// Each half is a float32, and the nearest half to it is itself.
func TestFromHalf(t *testing.T) {
	for h := range 1 << 16 {
		v := FromHalf(uint16(h))
		if math.IsNaN(float64(v)) {
			if h&0x7c00 != 0x7c00 || h&0x3ff == 0 {
				t.Errorf("%#x is no number", h)
			}
			continue
		}
		if got := Half(float64(v)); got != uint16(h) {
			t.Errorf("%#x is %g, which is %#x", h, v, got)
		}
	}
}
