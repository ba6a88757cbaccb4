package onnx

import (
	"slices"
	"strings"
	"testing"
)

func TestQuantise(t *testing.T) {
	g := Graph{
		Name: "g",
		Nodes: []Node{
			{Op: "Conv", Name: "y", Inputs: []string{"x", "w", "b"}, Outputs: []string{"y"}},
			{Op: "Sigmoid", Name: "z", Inputs: []string{"y"}, Outputs: []string{"z"}},
		},
		Initializers: []Tensor{
			NewFloat32("w", []int64{2, 1, 1, 2}, []float64{1, -0.5, 0, 0}),
			NewFloat32("b", []int64{2}, []float64{0.25, 1}),
		},
		Inputs: []Value{{Name: "x"}}, Outputs: []Value{{Name: "z"}},
	}
	q, err := g.Quantise(map[string]Range{"x": {-51, 204}, "y": {0, 2.55}}, ValuesFull)
	if err != nil {
		t.Fatal(err)
	}
	var nodes []string
	for _, n := range q.Nodes {
		nodes = append(nodes, n.Op+" "+strings.Join(n.Inputs, ",")+" > "+n.Outputs[0])
	}
	if want := []string{
		"QuantizeLinear x,x.scale,x.zero > x.stored", "DequantizeLinear x.stored,x.scale,x.zero > x.wide",
		"DequantizeLinear w.stored,w.scale,w.zero > w.wide", "DequantizeLinear b.stored,b.scale,b.zero > b.wide",
		"Conv x.wide,w.wide,b.wide > y",
		"QuantizeLinear y,y.scale,y.zero > y.stored", "DequantizeLinear y.stored,y.scale,y.zero > y.wide",
		"Sigmoid y.wide > z",
	}; !slices.Equal(nodes, want) {
		t.Errorf("got  %q\nwant %q", nodes, want)
	}
	raw := map[string]string{}
	for _, c := range q.Initializers {
		raw[c.Name] = string(c.raw)
	}
	for name, want := range map[string]string{
		"x.scale": "\x00\x00\x80\x3f", "x.zero": "\x33", // 51
		"y.zero":   "\x00",
		"w.stored": "\x7f\xc0\x00\x00",                 // 127, -64 (63.5, to even)
		"b.stored": "\x20\x00\x00\x00\xff\xff\xff\x7f", // 0.25 / (1 · 1/127) = 31.75; the most there is
	} {
		if raw[name] != want {
			t.Errorf("%s is %q, want %q", name, raw[name], want)
		}
	}
	if _, ok := raw["w"]; ok || g.Nodes[0].Inputs[0] != "x" {
		t.Error("the float weights are still there, or the first graph was changed")
	}

	if q, err = g.Quantise(map[string]Range{"x": {-32.25, 96.75}}, ValuesSafe); err != nil {
		t.Fatal(err)
	}
	for _, c := range q.Initializers {
		if want := map[string]string{"x.scale": "\x00\x00\x80\x3f", "x.zero": "\x20",
			"w.stored": "\x7f\xc0\x00\x00"}[c.Name]; want != "" && string(c.raw) != want {
			// 129 steps of 1, 32 of them under zero
			t.Errorf("where sums have 16 bits %s is %q, want %q", c.Name, c.raw, want)
		}
	}

	g.Initializers[0] = NewFloat16("w", []int64{2, 1, 1, 2}, make([]float64, 4))
	if _, err := g.Quantise(map[string]Range{"x": {0, 1}}, ValuesSafe); err == nil ||
		!strings.Contains(err.Error(), "w are no float32") {
		t.Errorf("half precision: %v", err)
	}
}
