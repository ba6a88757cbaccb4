package dan

import (
	"fmt"
	"math"

	"mindflow/models/onnx"
)

// writer collects a graph. The methods that add a node return its output's name.
type writer struct {
	precision  Precision
	graph      onnx.Graph
	parameters int
	err        error // the first weight that cannot be stored

	activations []Activation
}

// active notes that tensors may be stored in 8 bits.
func (w *writer) active(name string) string {
	w.activations = append(w.activations, Activation{name, ""})
	return name
}

// picked notes that of tensors with values of another.
func (w *writer) picked(like string, names ...string) {
	for _, name := range names {
		w.activations = append(w.activations, Activation{name, like})
	}
}

func (w *writer) node(op, out string, inputs []string, attributes ...onnx.Attribute) string {
	w.graph.Nodes = append(w.graph.Nodes,
		onnx.Node{Op: op, Name: out, Inputs: inputs, Outputs: []string{out}, Attributes: attributes})
	return out
}

// weight stores a large tensor in the chosen precision; computing stays in float32, since the
// runtime executes a Cast of a constant once, when it loads the file.
func (w *writer) weight(name string, values []float64, dims ...int64) string {
	if w.precision == FP32 {
		return w.exact(name, values, dims...)
	}
	for _, v := range values {
		if math.Abs(v) > onnx.LargestHalf && w.err == nil {
			w.err = fmt.Errorf("%s holds %g, beyond half precision; store it with precision fp32", name, v)
		}
	}
	w.parameters += len(values)
	w.graph.Initializers = append(w.graph.Initializers, onnx.NewFloat16(name+".half", dims, values))
	return w.node("Cast", name, []string{name + ".half"}, onnx.Int("to", int64(onnx.Float32)))
}

// exact stores a tensor in float32 whatever the precision: biases are too few to be worth rounding.
func (w *writer) exact(name string, values []float64, dims ...int64) string {
	w.parameters += len(values)
	w.graph.Initializers = append(w.graph.Initializers, onnx.NewFloat32(name, dims, values))
	return name
}

// integers stores the shape or the axes that some operators take as an input.
func (w *writer) integers(name string, values ...int64) string {
	w.graph.Initializers = append(w.graph.Initializers, onnx.NewInt64(name, []int64{int64(len(values))}, values...))
	return name
}

// window is the geometry of a square convolution with padding on all sides.
type window struct{ size, stride int64 }

func (w *writer) conv(name, input string, a affine, g window) string {
	out := int64(len(a.bias))
	in := int64(len(a.weight)) / (out * g.size * g.size)
	pad := g.size / 2
	return w.node("Conv", name, []string{
		input,
		w.weight(name+".weight", a.weight, out, in, g.size, g.size),
		w.exact(name+".bias", a.bias, out),
	},
		onnx.Ints("kernel_shape", g.size, g.size), onnx.Ints("strides", g.stride, g.stride),
		onnx.Ints("pads", pad, pad, pad, pad))
}

func (w *writer) relu(input string) string { return w.node("Relu", input+".relu", []string{input}) }

// split cuts the channels into n equal parts.
func (w *writer) split(name, input string, n int) []string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = fmt.Sprintf("%s.%d", name, i)
	}
	w.graph.Nodes = append(w.graph.Nodes,
		onnx.Node{Op: "Split", Name: name + ".split", Inputs: []string{input}, Outputs: parts,
			Attributes: []onnx.Attribute{onnx.Int("axis", 1)}})
	return parts
}
