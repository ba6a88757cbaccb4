package ort

import (
	"errors"
	"fmt"

	"mindflow/pipeline"

	ort "github.com/yalue/onnxruntime_go"
)

// free is any size in a shape, as the runtime reports it.
const free = -1

// expectedTensor is a tensor that a manifest entry describes.
type expectedTensor struct {
	field string  // of the entry, which holds the name
	name  string  // of the tensor
	shape []int64 // nil means any
	from  string  // the fields of the entry from which shape follows
}

// expectedInput returns m's input for a number of pictures.
func expectedInput(m pipeline.Model, batch int64) expectedTensor {
	size, channels := int64(m.Input.Size), int64(m.Input.Channels)
	if m.Input.Dynamic {
		size = free
	}
	shape := []int64{batch, channels, size, size}
	if m.Input.Layout == pipeline.NHWC {
		shape = []int64{batch, size, size, channels}
	}
	return expectedTensor{"input", m.Input.Name, shape, "input.size, input.channels or input.layout"}
}

// conform compares a manifest entry with its file, as the runtime reports it. The error lists the fields to correct.
func conform(path string, m pipeline.Model, input expectedTensor, outputs []expectedTensor) error {
	in, out, err := describe(path)
	if err != nil {
		return err
	}
	return agree(path, m, input, outputs, in, out)
}

// agree is conform for a file with the inputs in and the outputs out.
func agree(path string, m pipeline.Model, input expectedTensor, outputs []expectedTensor,
	in, out []ort.InputOutputInfo) error {
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

// describe returns the names, types and shapes of a file's inputs and outputs.
func describe(path string) (inputs, outputs []ort.InputOutputInfo, err error) {
	options, err := ort.NewSessionOptions()
	if err != nil {
		return nil, nil, fmt.Errorf("inspect %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, options.Destroy()) }()
	// Optimisation would take most of the time and changes no name or shape.
	if err := options.SetGraphOptimizationLevel(ort.GraphOptimizationLevelDisableAll); err != nil {
		return nil, nil, fmt.Errorf("inspect %s: %w", path, err)
	}
	inputs, outputs, err = ort.GetInputOutputInfoWithOptions(path, options)
	if err != nil {
		return nil, nil, fmt.Errorf("inspect %s: %w", path, err)
	}
	return inputs, outputs, nil
}

func (e expectedTensor) check(found []ort.InputOutputInfo) error {
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

// misfit returns an error with the field that a shape of the file contradicts.
func (e expectedTensor) misfit(found []int64) error {
	from := e.from
	switch {
	case len(found) == len(e.shape) && found[0] != free && found[0] != e.shape[0]:
		return fmt.Errorf("file: %q holds %d pictures; export the network for any number of them, or for one",
			e.name, found[0])
	case e.field == "input" && len(found) == 4 &&
		(fits(nchwOf(e.shape), found) || fits(nhwcOf(e.shape), found)):
		from = "input.layout"
	case e.from == "labels" && len(found) == 2 && found[1] > e.shape[1]:
		return fmt.Errorf("labels: %q gives %d numbers a face, and there are %d labels; name them all, "+
			"or say in %s.slice which are the labels', such as [0, %d]",
			e.name, found[1], e.shape[1], e.field, e.shape[1])
	}
	return fmt.Errorf("%s: %q has shape %v in the file but %v by the entry (-1 is any)", from, e.name, found, e.shape)
}

// nchwOf converts a shape from NHWC to NCHW.
func nchwOf(nhwc []int64) []int64 { return []int64{nhwc[0], nhwc[3], nhwc[1], nhwc[2]} }

// nhwcOf converts a shape from NCHW to NHWC.
func nhwcOf(nchw []int64) []int64 { return []int64{nchw[0], nchw[2], nchw[3], nchw[1]} }

// fits reports whether a file with shape found takes tensors of shape want. Where want has a free size, found must have
// one too.
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
