package main

import (
	"fmt"
	"maps"
	"slices"

	"mindflow/models/checkpoint"
	"mindflow/models/onnx"
)

// plain writes DAN as the authors' code runs it, one node a layer, without the rewrites of models/dan.
type plain struct {
	graph   onnx.Graph
	tensors map[string]checkpoint.Tensor
	heads   int
}

func plainGraph(tensors map[string]checkpoint.Tensor, heads, classes int) *onnx.Model {
	p := &plain{tensors: tensors, heads: heads}
	for _, name := range slices.Sorted(maps.Keys(tensors)) {
		t := tensors[name]
		values := make([]float64, len(t.Data))
		for i, v := range t.Data {
			values[i] = float64(v)
		}
		var dims []int64
		for _, d := range t.Shape {
			dims = append(dims, int64(d))
		}
		p.graph.Initializers = append(p.graph.Initializers, onnx.NewFloat32(name, dims, values))
	}
	p.graph.Initializers = append(p.graph.Initializers, onnx.NewInt64("one", []int64{1}, 1))
	x := p.features("input")
	var outs, gates []string
	for i := range heads {
		out, gate := p.head(x, fmt.Sprintf("cat_head%d.", i))
		outs, gates = append(outs, out), append(gates, gate)
	}
	p.node("Concat", "attention", gates, onnx.Int("axis", 1))
	fused := p.node("Concat", "stacked", outs, onnx.Int("axis", 1)) // [n,heads,512]
	if heads > 1 {
		fused = p.node("LogSoftmax", "log", []string{fused}, onnx.Int("axis", 1))
	}
	fused = p.node("ReduceSum", "fused", []string{fused, "one"}, onnx.Int("keepdims", 0))
	p.norm(p.linear(fused, "fc"), "bn", "logits")
	p.graph.Name = "plain"
	p.graph.Inputs = []onnx.Value{{Name: "input", Dims: []onnx.Dim{{Free: "n"}, {Size: 3}, {Free: "h"}, {Free: "w"}}}}
	p.graph.Outputs = []onnx.Value{
		{Name: "logits", Dims: []onnx.Dim{{Free: "n"}, {Size: int64(classes)}}},
		{Name: "attention", Dims: []onnx.Dim{{Free: "n"}, {Size: int64(heads)}, {Free: "rows"}, {Free: "columns"}}},
	}
	return &onnx.Model{IRVersion: 8, Opset: 17, Producer: "mindflow", Graph: p.graph}
}

func (p *plain) node(op, out string, inputs []string, attributes ...onnx.Attribute) string {
	p.graph.Nodes = append(p.graph.Nodes, onnx.Node{Op: op, Name: out, Inputs: inputs, Outputs: []string{out}, Attributes: attributes})
	return out
}

// convNorm is a convolution that keeps the picture's size but for its stride, and its batch norm.
func (p *plain) convNorm(x, conv, norm string, stride int64) string {
	shape := p.tensors[conv+".weight"].Shape
	h, w := int64(shape[2]), int64(shape[3])
	inputs := []string{x, conv + ".weight"}
	if _, ok := p.tensors[conv+".bias"]; ok {
		inputs = append(inputs, conv+".bias")
	}
	y := p.node("Conv", conv, inputs, onnx.Ints("kernel_shape", h, w), onnx.Ints("strides", stride, stride),
		onnx.Ints("pads", h/2, w/2, h/2, w/2))
	return p.norm(y, norm, norm)
}

// norm leaves epsilon at its default, 1e-5, as PyTorch does.
func (p *plain) norm(x, name, out string) string {
	return p.node("BatchNormalization", out, []string{x, name + ".weight", name + ".bias", name + ".running_mean", name + ".running_var"})
}

func (p *plain) relu(x string) string { return p.node("Relu", x+".relu", []string{x}) }

func (p *plain) linear(x, name string) string {
	return p.node("Gemm", name, []string{x, name + ".weight", name + ".bias"}, onnx.Int("transB", 1))
}

func (p *plain) features(x string) string {
	x = p.relu(p.convNorm(x, "features.0", "features.1", 2))
	x = p.node("MaxPool", "features.3", []string{x}, onnx.Ints("kernel_shape", 3, 3), onnx.Ints("strides", 2, 2), onnx.Ints("pads", 1, 1, 1, 1))
	for layer := 4; layer < 8; layer++ {
		for k := range 2 {
			name := fmt.Sprintf("features.%d.%d", layer, k)
			stride, shortcut := int64(1), x
			if layer > 4 && k == 0 {
				stride = 2
				shortcut = p.convNorm(x, name+".downsample.0", name+".downsample.1", stride)
			}
			y := p.relu(p.convNorm(x, name+".conv1", name+".bn1", stride))
			y = p.convNorm(y, name+".conv2", name+".bn2", 1)
			x = p.relu(p.node("Add", name, []string{y, shortcut}))
		}
	}
	return x
}

// head gives the weighted channels, [n,1,512], and the gate.
func (p *plain) head(x, name string) (out, gate string) {
	y := p.convNorm(x, name+"sa.conv1x1.0", name+"sa.conv1x1.1", 1)
	var parts []string
	for _, k := range []string{"3x3", "1x3", "3x1"} {
		parts = append(parts, p.convNorm(y, name+"sa.conv_"+k+".0", name+"sa.conv_"+k+".1", 1))
	}
	sum := p.node("Add", name+"add", parts[:2])
	sum = p.relu(p.node("Add", name+"sum", []string{sum, parts[2]}))
	gate = p.node("ReduceSum", name+"gate", []string{sum, "one"})
	gated := p.node("Mul", name+"gated", []string{x, gate})
	pooled := p.node("Flatten", name+"pooled", []string{p.node("GlobalAveragePool", name+"mean", []string{gated})})
	y = p.relu(p.norm(p.linear(pooled, name+"ca.attention.0"), name+"ca.attention.1", name+"ca.attention.1"))
	y = p.node("Sigmoid", name+"weights", []string{p.linear(y, name+"ca.attention.3")})
	y = p.node("Mul", name+"weighted", []string{pooled, y})
	return p.node("Unsqueeze", name+"out", []string{y, "one"}), gate
}
