package importer

import (
	"errors"
	"fmt"
	"io"
	"math"

	"mindflow/models/checkpoint"
	"mindflow/models/dan"
	"mindflow/pipeline/ort"
)

// deviation holds the largest differences of the graph's outputs from the checkpoint's arithmetic, relative where a
// value is over one.
type deviation struct{ logits, attention float64 }

// checked is the side of the picture for check: the graph takes any size, and dan.Reference is slow.
const checked = 64

// check compares the graph in a file, on ONNX Runtime, with the checkpoint's layers, one by one in float64, on one
// picture.
func check(rt *ort.Runtime, path string, tensors map[string]checkpoint.Tensor) (d deviation, err error) {
	net, err := rt.NewNetwork(path, "input", []string{"logits", "attention"}, 1)
	if err != nil {
		return d, err
	}
	defer func() { err = errors.Join(err, net.Close()) }()
	x := wave(checked)
	got, err := net.Run(ort.Array{Shape: []int64{1, 3, checked, checked}, Data: x})
	if err != nil {
		return d, err
	}
	logits, gates := dan.Reference(tensors, x, checked, checked)
	if len(logits) != len(got[0].Data) || len(gates) != len(got[1].Data) {
		return d, fmt.Errorf("check %s: outputs of %v and %v, want %d and %d values", path, got[0].Shape, got[1].Shape,
			len(logits), len(gates))
	}
	return deviation{worst(got[0].Data, logits), worst(got[1].Data, gates)}, nil
}

// limits has the largest deviation for each precision; rounded weights deviate more. The int8 graph is compared with
// the float32 one, which is checked.
var limits = map[dan.Precision]float64{dan.FP32: 1e-4, INT8: 1e-4, dan.FP16: 2e-2}

// check refuses a graph whose results differ from the checkpoint's.
func (o *Options) check(rt *ort.Runtime, path string, tensors map[string]checkpoint.Tensor, out io.Writer) error {
	d, err := check(rt, path, tensors)
	if err != nil {
		return err
	}
	limit := limits[o.Precision]
	if !(d.logits <= limit && d.attention <= limit) {
		return fmt.Errorf("%s: ONNX Runtime's logits differ from those of the checkpoint's layers by %.1g and its "+
			"attention by %.1g, allowed is %.0g; nothing was added", o.Checkpoint, d.logits, d.attention, limit)
	}
	fmt.Fprintf(out, "  check        ONNX Runtime's logits are within %.1g of those of the checkpoint's layers in "+
		"float64, its attention within %.1g\n", d.logits, d.attention)
	return nil
}

// wave returns a picture with waves of different length in each channel, [3,side,side].
func wave(side int) []float32 {
	x := make([]float32, 0, 3*side*side)
	for c := range 3 {
		for row := range side {
			for column := range side {
				x = append(x, float32(math.Sin(0.013*float64((c+1)*row)+0.017*float64(column))))
			}
		}
	}
	return x
}

func worst(got []float32, want []float64) float64 {
	most := 0.0
	for i, w := range want {
		if d := math.Abs(float64(got[i])-w) / math.Max(1, math.Abs(w)); !(d <= most) { // NaN counts as the largest
			most = d
		}
	}
	return most
}
