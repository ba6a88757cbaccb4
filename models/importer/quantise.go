package importer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"mindflow/models/dan"
	"mindflow/models/onnx"
	"mindflow/pipeline/field"
	"mindflow/pipeline/ort"
)

// Numbers of pictures for calibration. Half of them give the ranges; on the others the results are compared.
const (
	mostFaces   = 1000
	fewestFaces = 20
)

// quantisation describes a graph to be stored in 8 bits.
type quantisation struct {
	float       string      // file of the graph that computes in float32
	model       *onnx.Model // the same
	activations []dan.Activation
	labels      []string
}

// Agreement of 8 bits with float32: the smallest share of faces with the same label, and the number that may always
// differ, since with few faces one or two tell nothing of the share.
const (
	worstAgreement = 0.95
	mayDiffer      = 2
)

// quantise writes a file of the graph whose convolutions compute in 8 bits, with ranges measured on faces, and prints
// the comparison to out.
func (o *Options) quantise(ctx context.Context, rt *ort.Runtime, q quantisation, out io.Writer) (part string,
	ranges map[string]onnx.Range, err error) {
	faces, err := FaceFiles(o.Calibrate, mostFaces)
	if err != nil {
		return "", nil, err
	}
	if len(faces) < fewestFaces {
		return "", nil, field.Valuef("Calibrate", o.Calibrate,
			"it holds %d pictures, want %d or more: of one face each, cut as the network was trained", len(faces),
			fewestFaces)
	}
	var measured, others []string
	for i, f := range faces {
		if i%2 == 0 {
			measured = append(measured, f)
		} else {
			others = append(others, f)
		}
	}
	ranges, err = o.measure(ctx, rt, q, measured)
	if err != nil {
		return "", nil, err
	}
	small, wide := *q.model, q.model.Graph.Widen()
	if small.Graph, err = wide.Quantise(ranges, onnx.ValuesSafe); err != nil {
		return "", nil, err
	}
	if part, err = o.part(&small); err != nil {
		return "", nil, err
	}
	c, err := o.compare(ctx, rt, q.float, part, others, q.labels)
	if err == nil {
		c.print(out)
		err = c.fault()
	}
	if err != nil {
		return "", nil, errors.Join(err, os.Remove(part))
	}
	return part, ranges, nil
}

// measure runs the graph on faces and returns the range of each activation.
func (o *Options) measure(ctx context.Context, rt *ort.Runtime, q quantisation,
	faces []string) (ranges map[string]onnx.Range, err error) {
	open := *q.model
	open.Graph.Outputs = nil
	var names []string
	for _, a := range q.activations {
		if a.Like == "" && a.Name != "input" {
			names = append(names, a.Name)
			open.Graph.Outputs = append(open.Graph.Outputs, onnx.Value{Name: a.Name,
				Dims: []onnx.Dim{{Free: "n"}, {Free: a.Name + ".channels"}, {Free: a.Name + ".rows"},
					{Free: a.Name + ".columns"}}})
		}
	}
	path, err := o.part(&open)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.Remove(path)) }()
	net, err := rt.NewNetwork(path, "input", names, 1)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, net.Close()) }()
	ranges = map[string]onnx.Range{}
	size := int64(o.Size)
	for i, path := range faces {
		f, err := o.face(ctx, path, "calibrating", i, len(faces))
		if err != nil {
			return nil, err
		}
		arrays, err := net.Run(ort.Array{Shape: []int64{1, 3, size, size}, Data: f.Crop})
		if err != nil {
			return nil, err
		}
		widen(ranges, "input", f.Crop)
		for k, a := range arrays {
			widen(ranges, names[k], a.Data)
		}
	}
	for _, a := range q.activations {
		if a.Like != "" {
			ranges[a.Name] = ranges[a.Like]
		}
	}
	return ranges, nil
}

// face reads the face at path, which is number i of n, unless ctx has ended.
func (o *Options) face(ctx context.Context, path, step string, i, n int) (Face, error) {
	if ctx.Err() != nil {
		return Face{}, interrupted(ctx)
	}
	o.show(step, i, n)
	f, err := ReadFace(path, o.input())
	if err != nil {
		return f, field.Valuef("Calibrate", o.Calibrate, "%w; take it out of the folder", err)
	}
	return f, nil
}

func widen(ranges map[string]onnx.Range, name string, values []float32) {
	r := ranges[name]
	for _, v := range values {
		r.Low, r.High = min(r.Low, v), max(r.High, v)
	}
	ranges[name] = r
}

// comparison holds the results of a graph in 8 bits beside those of the float32 one.
type comparison struct {
	faces, same                    int
	labelled, rightFloat, rightInt int
	msFloat, msInt                 float64 // median time of a face, on one thread
}

// compare runs both files on the same faces, alternately.
func (o *Options) compare(ctx context.Context, rt *ort.Runtime, float, small string, faces []string,
	labels []string) (c comparison, err error) {
	size := int64(o.Size)
	var nets [2]*ort.Network
	for i, path := range []string{float, small} {
		if nets[i], err = rt.NewNetwork(path, "input", []string{"logits"}, 1); err != nil {
			return c, err
		}
		defer func() { err = errors.Join(err, nets[i].Close()) }()
	}
	var times [2][]float64
	for k, path := range faces {
		f, err := o.face(ctx, path, "comparing with float32", k, len(faces))
		if err != nil {
			return c, err
		}
		var best [2]int
		for i, net := range nets {
			began := time.Now()
			got, err := net.Run(ort.Array{Shape: []int64{1, 3, size, size}, Data: f.Crop})
			if err != nil {
				return c, err
			}
			times[i] = append(times[i], float64(time.Since(began).Microseconds())/1000)
			for j, v := range got[0].Data {
				if v > got[0].Data[best[i]] {
					best[i] = j
				}
			}
		}
		c.faces++
		if best[0] == best[1] {
			c.same++
		}
		if want := slices.Index(labels, f.Label); want >= 0 {
			c.labelled++
			if best[0] == want {
				c.rightFloat++
			}
			if best[1] == want {
				c.rightInt++
			}
		}
	}
	c.msFloat, c.msInt = median(times[0]), median(times[1])
	return c, nil
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// low reports whether the share of faces with the same label is too low.
func (c comparison) low() bool { return float64(c.same) < worstAgreement*float64(c.faces) }

func (c comparison) fault() error {
	if !c.low() || c.faces-c.same <= mayDiffer {
		return nil
	}
	return field.Errorf("Calibrate",
		"8 bits say the same as float32 on %d of %d faces only, want %.0f %% or all but %d; nothing was added. "+
			"Calibrate on faces like those the network was trained on, or do not calibrate and use precision fp16",
		c.same, c.faces, 100*worstAgreement, mayDiffer)
}

func (c comparison) print(out io.Writer) {
	percent := func(n, of int) float64 { return 100 * float64(n) / float64(of) }
	fmt.Fprintf(out, "  int8         the same label as in float32 on %.1f %% of %d faces that gave no range; %.1f "+
		"ms a face, %.1f in float32\n",
		percent(c.same, c.faces), c.faces, c.msInt, c.msFloat)
	if c.labelled > 0 {
		fmt.Fprintf(out, "  accuracy     %.1f %% of %d faces in folders named by label, %.1f %% in float32\n",
			percent(c.rightInt, c.labelled), c.labelled, percent(c.rightFloat, c.labelled))
	}
	if c.low() && c.fault() == nil {
		fmt.Fprintf(out, "               %d of %d differ, and so few faces do not tell how often: calibrate on some "+
			"hundred, or compare the models with mindflow eval\n", c.faces-c.same, c.faces)
	}
}
