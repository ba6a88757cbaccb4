package ort

import (
	"maps"
	"math"
	"slices"
	"testing"

	"mindflow/models/dan"
	"mindflow/models/onnx"
	"mindflow/pipeline"
)

func halved(g *onnx.Graph) (onnx.Graph, error) { return g.Halve(dan.Narrow) }

// hard returns inputs that drive a network's sums high: the extremes of a camera's pictures, uniform and in patterns.
func hard(size int) map[string][]float32 {
	const low, high = -2.12, 2.64 // what black and white are, normalised, in the channel where they are furthest
	pattern := func(v func(i, j int) bool) []float32 {
		x := make([]float32, 0, 3*size*size)
		for range 3 {
			for i := range size {
				for j := range size {
					if v(i, j) {
						x = append(x, high)
					} else {
						x = append(x, low)
					}
				}
			}
		}
		return x
	}
	seed := uint32(1)
	return map[string][]float32{
		"white":   pattern(func(int, int) bool { return true }),
		"black":   pattern(func(int, int) bool { return false }),
		"checks":  pattern(func(i, j int) bool { return (i/8+j/8)%2 == 0 }),
		"stripes": pattern(func(i, _ int) bool { return i/4%2 == 0 }),
		"edge":    pattern(func(_, j int) bool { return j < size/2 }),
		"noise":   pattern(func(int, int) bool { seed = seed*1664525 + 1013904223; return seed>>31 == 0 }),
		"waves":   wave(1, size),
	}
}

// In half precision no sum may exceed 65504, on any picture. The test checks all tensors that are computed in it, on
// faces and on inputs that drive them high, and those kept in float32 that would not fit. With -v it prints the
// largest.
func TestHalfPrecisionHasRoom(t *testing.T) {
	const room = 16 // under the largest number
	file, m := rewritten(t, danFile(t), func(g *onnx.Graph) (onnx.Graph, error) {
		out := *g
		for _, n := range g.Nodes {
			if n.Op != "Cast" && n.Op != "Shape" && n.Op != "Gather" {
				out.Outputs = append(out.Outputs, onnx.Value{Name: n.Outputs[0]})
			}
		}
		return out, nil
	})
	var names []string
	narrow := map[string]bool{}
	for _, n := range m.Graph.Nodes {
		if n.Op != "Cast" && n.Op != "Shape" && n.Op != "Gather" {
			names = append(names, n.Outputs[0])
			narrow[n.Outputs[0]] = dan.Narrow(n)
		}
	}
	net, err := open(t).NewNetwork(file, "input", names, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer net.Close()
	most := make([]float64, len(names))
	inputs := slices.Collect(maps.Values(hard(96)))
	photo, noses := four(t)
	for _, nose := range noses {
		m := entry(t, "dan-ferplus").Model
		face := m.Input.NewCrop()
		pipeline.NewSampler(m.Input).Crop(face, photo,
			pipeline.Region{X: nose.X*float32(photo.Width) - 60, Y: nose.Y*float32(photo.Height) - 70, W: 120, H: 120})
		inputs = append(inputs, face.Values)
	}
	for _, x := range inputs {
		got, err := net.Run(Array{[]int64{1, 3, 96, 96}, x})
		if err != nil {
			t.Fatal(err)
		}
		for i, a := range got {
			for _, v := range a.Data {
				most[i] = math.Max(most[i], math.Abs(float64(v)))
			}
		}
	}
	largest, gates := 0.0, 0.0
	for i, name := range names {
		t.Logf("%-32s %12.4g %v", name, most[i], narrow[name])
		if narrow[name] {
			largest = math.Max(largest, most[i])
		} else {
			gates = math.Max(gates, most[i])
		}
	}
	if largest > onnx.LargestHalf/room || largest == 0 {
		t.Errorf("tensors in half precision get as large as %g, want under %g", largest, float64(onnx.LargestHalf)/room)
	}
	t.Logf("the largest in half precision is %.4g, in float32 %.4g", largest, gates)
}

// rounded rounds the outputs of narrow nodes to the 11 digits of half precision: the CPU has no kernels for half
// precision, and ONNX Runtime omits the rounding between nodes that it computes in float32 instead. Digits are cut by
// adding and subtracting a multiple of the number (Veltkamp, 1968), which no optimiser may remove.
func rounded(g *onnx.Graph) (onnx.Graph, error) {
	out := *g
	out.Nodes = nil
	out.Initializers = append([]onnx.Tensor{onnx.NewFloat32("veltkamp", nil, []float64{1<<13 + 1})}, g.Initializers...)
	for _, n := range g.Nodes {
		n.Outputs = append([]string(nil), n.Outputs...)
		wide := n
		var after []onnx.Node
		if dan.Narrow(n) {
			for i, name := range n.Outputs {
				exact := name + ".exact"
				wide.Outputs[i] = exact
				after = append(after,
					onnx.Node{Op: "Mul", Name: name + ".a", Inputs: []string{exact, "veltkamp"},
						Outputs: []string{name + ".a"}},
					onnx.Node{Op: "Sub", Name: name + ".b", Inputs: []string{name + ".a", exact},
						Outputs: []string{name + ".b"}},
					onnx.Node{Op: "Sub", Name: name + ".c", Inputs: []string{name + ".a", name + ".b"},
						Outputs: []string{name}})
			}
		}
		out.Nodes = append(append(out.Nodes, wide), after...)
	}
	return out, nil
}

// With its convolutions in half precision DAN nearly returns PyTorch's values, on hard inputs too, and nothing
// overflows.
func TestHalfPrecision(t *testing.T) {
	file, m := rewritten(t, danFile(t), halved)
	casts := 0
	for _, n := range m.Graph.Nodes {
		if n.Op == "Cast" {
			casts++
		}
	}
	if casts > 16 { // of the input, of the features, four of the heads, and of the small layers' weights
		t.Errorf("%d casts", casts)
	}
	stored, _ := rewritten(t, danFile(t), rounded)
	for what, file := range map[string]string{"the graph": file, "all rounded": stored} {
		t.Run(what, func(t *testing.T) {
			t.Run("golden", func(t *testing.T) { checkGolden(t, file, "testdata/golden-96.json", 2e-2) })
			r := open(t)
			for name, x := range hard(96) {
				in := Array{[]int64{1, 3, 96, 96}, x}
				want, got := once(t, r, danFile(t), "input", "logits", in), once(t, r, file, "input", "logits", in)
				d := worst(t, got, want)
				t.Logf("%s: %.2g", name, d)
				if !(d <= 0.02) {
					t.Errorf("%s: logits %v, in float32 %v", name, got, want)
				}
			}
		})
	}
}
