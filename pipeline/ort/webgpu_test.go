package ort

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"

	"mindflow/models/onnx"
)

// WebGPU computes what the CPU computes: a small network of DAN's operators, then DAN on a small picture. It runs on
// the Vulkan driver in VK_DRIVER_FILES, of a GPU or of software, which "make test-webgpu" sets.
func TestWebGPUAgainstTheCPU(t *testing.T) {
	if os.Getenv("VK_DRIVER_FILES") == "" {
		t.Skip(`VK_DRIVER_FILES names no Vulkan driver; "make test-webgpu" runs this on the one that Chromium brings`)
	}
	r := open(t)
	for _, c := range []struct {
		name, file, input string
		outputs           []string
		shape             []int64
		tolerance         float64 // relative to the largest value
	}{
		{"operators", operators(t), "x", []string{"y"}, []int64{2, 3, 16, 16}, 1e-4},
		{"DAN", danFile(t), "input", []string{"logits", "attention"}, []int64{1, 3, 32, 32}, 1e-3},
	} {
		t.Run(c.name, func(t *testing.T) {
			answers := map[string][]Array{}
			for _, provider := range []string{CPU, WebGPU} {
				if err := r.Use(Device{Provider: provider}); err != nil {
					t.Fatal(err)
				}
				answers[provider] = answer(t, r, c.file, c.input, c.outputs, c.shape)
			}
			for i, name := range c.outputs {
				got, want := answers[WebGPU][i].Data, answers[CPU][i].Data
				if len(got) != len(want) || len(got) == 0 {
					t.Fatalf("%s: %d values, %d on the CPU", name, len(got), len(want))
				}
				most, apart := 0.0, 0.0
				for k := range want {
					most = max(most, math.Abs(float64(want[k])))
					apart = max(apart, math.Abs(float64(got[k])-float64(want[k])))
				}
				t.Logf("%s: up to %.3g, apart by %.2g", name, most, apart)
				if !(apart <= c.tolerance*most) || most == 0 {
					t.Errorf("%s: %g apart, of %g", name, apart, most)
				}
			}
			if len(r.Degraded()) > 0 {
				t.Error(r.Degraded())
			}
		})
	}
}

// answer runs a network on wave.
func answer(t *testing.T, r *Runtime, file, input string, outputs []string, shape []int64) []Array {
	t.Helper()
	net, err := r.NewNetwork(file, input, outputs, 1)
	if err != nil {
		t.Fatal(err)
	}
	n := int64(1)
	for _, size := range shape {
		n *= size
	}
	x := Array{Shape: shape, Data: make([]float32, n)}
	for i := range x.Data {
		x.Data[i] = float32(math.Sin(float64(i) * 0.37))
	}
	got, err := net.Run(x)
	if err := errors.Join(err, net.Close()); err != nil {
		t.Fatal(err)
	}
	return got
}

// operators writes a network of a convolution, rectified, pooled, gated by its sigmoid and averaged, and a layer:
// [n,3,h,w] → [n,5].
func operators(t *testing.T) string {
	t.Helper()
	weights := func(name string, dims ...int64) onnx.Tensor {
		n := int64(1)
		for _, d := range dims {
			n *= d
		}
		v := make([]float64, n)
		for i := range v {
			v[i] = math.Cos(float64(i)*0.71) / 3
		}
		return onnx.NewFloat32(name, dims, v)
	}
	free := onnx.Dim{Free: "n"}
	m := onnx.Model{IRVersion: 8, Opset: 17, Producer: "test", Graph: onnx.Graph{
		Name: "operators",
		Nodes: []onnx.Node{
			{Op: "Conv", Name: "conv", Inputs: []string{"x", "kernel", "bias"}, Outputs: []string{"c"},
				Attributes: []onnx.Attribute{onnx.Ints("kernel_shape", 3, 3), onnx.Ints("pads", 1, 1, 1, 1),
					onnx.Ints("strides", 2, 2)}},
			{Op: "Relu", Name: "relu", Inputs: []string{"c"}, Outputs: []string{"r"}},
			{Op: "MaxPool", Name: "pool", Inputs: []string{"r"}, Outputs: []string{"p"},
				Attributes: []onnx.Attribute{onnx.Ints("kernel_shape", 3, 3), onnx.Ints("pads", 1, 1, 1, 1),
					onnx.Ints("strides", 2, 2)}},
			{Op: "Sigmoid", Name: "sigmoid", Inputs: []string{"p"}, Outputs: []string{"s"}},
			{Op: "Mul", Name: "gate", Inputs: []string{"p", "s"}, Outputs: []string{"g"}},
			{Op: "GlobalAveragePool", Name: "mean", Inputs: []string{"g"}, Outputs: []string{"m"}},
			{Op: "Flatten", Name: "flatten", Inputs: []string{"m"}, Outputs: []string{"f"}},
			{Op: "MatMul", Name: "layer", Inputs: []string{"f", "layer_weights"}, Outputs: []string{"l"}},
			{Op: "LogSoftmax", Name: "softmax", Inputs: []string{"l"}, Outputs: []string{"y"},
				Attributes: []onnx.Attribute{onnx.Int("axis", 1)}},
		},
		Initializers: []onnx.Tensor{weights("kernel", 8, 3, 3, 3), weights("bias", 8), weights("layer_weights", 8, 5)},
		Inputs:       []onnx.Value{{Name: "x", Dims: []onnx.Dim{free, {Size: 3}, {Size: 16}, {Size: 16}}}},
		Outputs:      []onnx.Value{{Name: "y", Dims: []onnx.Dim{free, {Size: 5}}}},
	}}
	file := filepath.Join(t.TempDir(), "operators.onnx")
	if err := os.WriteFile(file, m.Marshal(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
