// Package dan turns the weights of a DAN into an ONNX graph for inference.
//
// DAN is "Distract your Attention" (arXiv 2109.07270): ResNet-18 features, a number of heads that each
// weigh them by place and then by channel, a log-softmax over the heads (the paper's attention fusion,
// section 3.3), a linear layer. The graph gives the same values with less work:
//
//   - every batch norm is multiplied into the layer before it;
//   - the parallel 3×3, 1×3 and 3×1 convolutions of a head are one 3×3;
//   - the 1×1 convolutions of all heads are one;
//   - gating by place followed by the mean over places is a matrix product.
package dan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"mindflow/models/checkpoint"
	"mindflow/models/onnx"
)

// Precision says how weights are stored. Computing is always in float32.
type Precision string

// The precisions.
const (
	FP32 Precision = "fp32"
	FP16 Precision = "fp16" // half the size; biases stay in float32
)

// Summary describes a built graph.
type Summary struct {
	Heads, Classes int
	Parameters     int          // stored, after folding
	Activations    []Activation // what convolutions take and give
}

// Activation is a tensor that may be stored in 8 bits. The gates and what is computed with them are none:
// they are sums over hundreds of channels, and products with these.
type Activation struct {
	Name string
	Like string // the tensor whose range it has, if it only picks values of it
}

// Build makes the graph from a state dict with the names of the published checkpoints. The input is
// "input" [n,3,h,w], normalised, of any batch and size; the outputs are "logits" [n,classes] and
// "attention" [n,heads,h/32,w/32], each head's spatial gate, which is not normalised. The error is that
// of Inspect, or names the tensors whose values are no numbers.
func Build(tensors map[string]checkpoint.Tensor, p Precision) (*onnx.Model, Summary, error) {
	if p != FP32 && p != FP16 {
		return nil, Summary{}, fmt.Errorf("precision %q is neither %s nor %s", p, FP32, FP16)
	}
	shapes := map[string][]int{}
	for name, t := range tensors {
		shapes[name] = t.Shape
	}
	heads, classes, err := Inspect(shapes, nil)
	if err != nil {
		return nil, Summary{}, err
	}
	if err := computable(tensors); err != nil {
		return nil, Summary{}, err
	}
	b := builder{writer{precision: p}, weights(tensors), heads}
	features := b.features("input")
	attention := b.spatialAttention(features)
	pooled := b.pool(features, attention)
	fused := b.fuse(b.channelAttention(pooled))
	b.classify(fused, classes)
	if b.err != nil {
		return nil, Summary{}, b.err
	}

	b.graph.Name = "dan"
	b.graph.Inputs = []onnx.Value{{Name: "input", Dims: []onnx.Dim{{Free: "n"}, {Size: 3}, {Free: "h"}, {Free: "w"}}}}
	b.graph.Outputs = []onnx.Value{
		{Name: "logits", Dims: []onnx.Dim{{Free: "n"}, {Size: int64(classes)}}},
		{Name: "attention", Dims: []onnx.Dim{{Free: "n"}, {Size: int64(heads)}, {Free: "rows"}, {Free: "columns"}}},
	}
	model := &onnx.Model{IRVersion: 8, Opset: 17, Producer: "mindflow", Graph: b.graph}
	return model, Summary{heads, classes, b.parameters, b.activations}, nil
}

// computable names the tensors with values that a training cannot leave: infinities, what is no number,
// and negative variances, whose root would be none.
func computable(tensors map[string]checkpoint.Tensor) error {
	var faults []string
	for _, name := range slices.Sorted(maps.Keys(tensors)) {
		variance := strings.HasSuffix(name, ".running_var")
		for _, v := range tensors[name].Data {
			if v-v != 0 {
				faults = append(faults, fmt.Sprintf("%s holds %g", shown(name), v))
				break
			}
			if variance && v < 0 {
				faults = append(faults, fmt.Sprintf("%s holds %g, and no variance is negative", shown(name), v))
				break
			}
		}
	}
	if len(faults) > 0 {
		return fmt.Errorf("the checkpoint's training diverged, or its values were damaged:\n  %s",
			strings.Join(faults, "\n  "))
	}
	return nil
}
