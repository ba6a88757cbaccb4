package ort

import (
	"errors"
	"fmt"

	"mindflow/pipeline"

	ort "github.com/yalue/onnxruntime_go"
)

// free stands for any size in a shape, as in the runtime's own answers.
const free = -1

// expected is a tensor that a manifest entry speaks of.
type expected struct {
	field string  // of the entry, whose name is the tensor's
	name  string  // of the tensor
	shape []int64 // nil accepts any
	from  string  // the fields of the entry that shape follows from
}

// expectedInput is m's input for a number of pictures.
func expectedInput(m pipeline.Model, batch int64) expected {
	size, channels := int64(m.Input.Size), int64(m.Input.Channels)
	if m.Input.Dynamic {
		size = free
	}
	shape := []int64{batch, channels, size, size}
	if m.Input.Layout == pipeline.NHWC {
		shape = []int64{batch, size, size, channels}
	}
	return expected{"input", m.Input.Name, shape, "input.size, input.channels or input.layout"}
}

// conform compares what a manifest entry says of its file with what the runtime reports. The error
// lists the fields to mend.
func conform(path string, m pipeline.Model, input expected, outputs []expected) error {
	in, out, err := describe(path)
	if err != nil {
		return err
	}
	return agree(path, m, input, outputs, in, out)
}

// agree is conform for a file that takes in and gives out.
func agree(path string, m pipeline.Model, input expected, outputs []expected, in, out []ort.InputOutputInfo) error {
	var faults []error
	if len(in) != 1 {
		faults = append(faults, fmt.Errorf("file: the network takes %d inputs, want one", len(in)))
	}
	faults = append(faults, input.check(in))
	for _, e := range outputs {
		faults = append(faults, e.check(out))
	}
	if err := errors.Join(faults...); err != nil {
		return fmt.Errorf("manifest entry %q does not fit %s: %w", m.Name, path, err)
	}
	return nil
}

// describe reads the names, types and shapes of what a file takes and gives.
func describe(path string) (inputs, outputs []ort.InputOutputInfo, err error) {
	options, err := ort.NewSessionOptions()
	if err != nil {
		return nil, nil, fmt.Errorf("inspect %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, options.Destroy()) }()
	// Optimising would take most of the time and changes no name or shape.
	if err := options.SetGraphOptimizationLevel(ort.GraphOptimizationLevelDisableAll); err != nil {
		return nil, nil, fmt.Errorf("inspect %s: %w", path, err)
	}
	inputs, outputs, err = ort.GetInputOutputInfoWithOptions(path, options)
	if err != nil {
		return nil, nil, fmt.Errorf("inspect %s: %w", path, err)
	}
	return inputs, outputs, nil
}

func (e expected) check(found []ort.InputOutputInfo) error {
	names := make([]string, len(found))
	for i, f := range found {
		if f.Name != e.name {
			names[i] = f.Name
			continue
		}
		if f.OrtValueType != ort.ONNXTypeTensor || f.DataType != ort.TensorElementDataTypeFloat {
			return fmt.Errorf("%s: %q is not a float32 tensor (%s)", e.field, e.name, f.String())
		}
		if e.shape != nil && !fits(e.shape, f.Dimensions) {
			return e.misfit(f.Dimensions)
		}
		return nil
	}
	return fmt.Errorf("%s.name: the file has no %q, it has %q", e.field, e.name, names)
}

// misfit says which field a shape of the file contradicts.
func (e expected) misfit(found []int64) error {
	from := e.from
	switch {
	case len(found) == len(e.shape) && found[0] != free && found[0] != e.shape[0]:
		return fmt.Errorf("file: %q holds %d pictures; export the network for any number of them, or for one", e.name, found[0])
	case e.field == "input" && len(found) == 4 && (fits(nchwOf(e.shape), found) || fits(nhwcOf(e.shape), found)):
		from = "input.layout"
	}
	return fmt.Errorf("%s: %q has shape %v in the file but %v by the entry (-1 is any)", from, e.name, found, e.shape)
}

// nchwOf and nhwcOf are a shape of the other layout in this one.
func nchwOf(nhwc []int64) []int64 { return []int64{nhwc[0], nhwc[3], nhwc[1], nhwc[2]} }
func nhwcOf(nchw []int64) []int64 { return []int64{nchw[0], nchw[2], nchw[3], nchw[1]} }

// fits says whether tensors of the wanted shape are among those of the found one: where the entry
// leaves a size free, the file must too.
func fits(want, found []int64) bool {
	if len(want) != len(found) {
		return false
	}
	for i, n := range found {
		if n != free && n != want[i] {
			return false
		}
	}
	return true
}
