package throughput

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"mindflow/models/engine"
	"mindflow/models/onnx"
	"mindflow/pipeline/ort"
)

// Limit is the device's speed for products of large matrices, which convolutions can come near to at best.
type Limit struct {
	Precision string  `json:"precision"` // of the stored matrices; a GPU may round float32 to TF32
	Gflops    float64 `json:"gflops_per_second"`
	Side      int     `json:"side"` // of the matrices
}

// limits measures the limits for the precisions of the rows. Matrices of bytes are not measured.
func (p Plan) limits(ctx context.Context, r Result) (list []Limit, err error) {
	on, err := ort.ParseDevice(r.Device)
	if err != nil {
		return nil, err
	}
	loaded, err := ort.OpenOn(p.Engine.Library, on)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, loaded.Close()) }()
	for _, precision := range []string{engine.FP32, engine.FP16} {
		if !slices.ContainsFunc(r.Rows, func(row Row) bool { return row.Precision == precision }) {
			continue
		}
		p.say("measuring the limit of " + r.Device + " in " + precision)
		l, err := limit(ctx, loaded, precision)
		if err != nil {
			return nil, fmt.Errorf("measure the limit of %s: %w", r.Device, err)
		}
		list = append(list, l)
	}
	return list, nil
}

// Matrices grow until one run takes long enough to time, or up to a size that fits on all devices.
const (
	chain      = 8 // products in a run
	smallest   = 256
	largest    = 4096
	longEnough = 20 * time.Millisecond
)

func limit(ctx context.Context, loaded *ort.Runtime, precision string) (l Limit, err error) {
	folder, err := os.MkdirTemp("", "mindflow-bench-")
	if err != nil {
		return l, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	for side := smallest; side <= largest && ctx.Err() == nil; side *= 2 {
		took, err := multiply(loaded, filepath.Join(folder, fmt.Sprintf("%d.onnx", side)), side, precision)
		if err != nil {
			return l, err
		}
		if rate := chain * 2 * math.Pow(float64(side), 3) / took.Seconds() / 1e9; rate > l.Gflops {
			l = Limit{precision, rate, side}
		}
		if took > longEnough*chain {
			break
		}
	}
	return l, ctx.Err()
}

// multiply returns the fastest of a few runs, on all processors for the CPU.
func multiply(loaded *ort.Runtime, path string, side int, precision string) (best time.Duration, err error) {
	if err := os.WriteFile(path, products(side, precision).Marshal(), 0o600); err != nil {
		return 0, err
	}
	net, err := loaded.NewNetwork(path, "row", []string{"mean"}, runtime.NumCPU())
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, net.Close()) }()
	x := ort.Array{Shape: []int64{1, int64(side)}, Data: make([]float32, side)}
	for i := range x.Data {
		x.Data[i] = float32(math.Sin(float64(i)))
	}
	for i := range 5 {
		start := time.Now()
		if _, err := net.Run(x); err != nil {
			return 0, err
		}
		if took := time.Since(start); i == 1 || i > 1 && took < best { // the first run is slower
			best = took
		}
	}
	return best, nil
}

// products returns a network that makes a matrix of a row, multiplies it by another one several times, and returns
// the means of columns: much computation for little data. The other matrix is orthogonal (the discrete Hartley
// transform), so that values do not grow.
func products(side int, precision string) *onnx.Model {
	weights := make([]float64, side*side)
	period := make([]float64, side) // cas is periodic
	for i := range period {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(side))
		period[i] = (sin + cos) / math.Sqrt(float64(side))
	}
	for i := range side {
		for k := range side {
			weights[i*side+k] = period[i*k%side]
		}
	}
	n := int64(side)
	g := onnx.Graph{Name: "products",
		Inputs:  []onnx.Value{{Name: "row", Dims: []onnx.Dim{{Size: 1}, {Size: n}}}},
		Outputs: []onnx.Value{{Name: "mean", Dims: []onnx.Dim{{Size: 1}, {Size: n}}}},
	}
	add := func(op, to string, from ...string) *onnx.Node {
		g.Nodes = append(g.Nodes, onnx.Node{Op: op, Name: to, Inputs: from, Outputs: []string{to}})
		return &g.Nodes[len(g.Nodes)-1]
	}
	at, tensor := "row", onnx.NewFloat32
	if precision == engine.FP16 {
		tensor = onnx.NewFloat16
		add("Cast", "narrow", at).Attributes = []onnx.Attribute{onnx.Int("to", int64(onnx.Float16))}
		at = "narrow"
	}
	g.Initializers = []onnx.Tensor{tensor("other", []int64{n, n}, weights)}
	add("Mul", "matrix", at, "other")
	at = "matrix"
	for i := range chain {
		next := fmt.Sprintf("product%d", i)
		add("MatMul", next, at, "other")
		at = next
	}
	last := "mean"
	if precision == engine.FP16 {
		last = "narrowmean"
	}
	add("ReduceMean", last, at).Attributes = []onnx.Attribute{onnx.Ints("axes", 0), onnx.Int("keepdims", 1)}
	if precision == engine.FP16 {
		add("Cast", "mean", last).Attributes = []onnx.Attribute{onnx.Int("to", int64(onnx.Float32))}
	}
	return &onnx.Model{IRVersion: 8, Opset: 17, Producer: "mindflow", Graph: g}
}

// share sets the share of the limit of each row.
func (r *Result) share() {
	for i := range r.Rows {
		row := &r.Rows[i]
		for _, l := range r.Limits {
			if l.Precision == row.Precision && l.Gflops > 0 {
				row.Share = max(row.Alone, row.Together) * float64(r.Flops) / (l.Gflops * 1e9)
			}
		}
	}
}
