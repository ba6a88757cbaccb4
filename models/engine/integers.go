package engine

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/cpu"

	"mindflow/models"
	"mindflow/models/onnx"
	"mindflow/pipeline"
	"mindflow/pipeline/field"
	"mindflow/pipeline/ort"
)

// INT8 is the precision of convolutions in integers of 8 bits; what the attention gates do stays in float32.
const INT8 = "int8"

// quickIntegers says whether convolutions in integers of 8 bits are faster than in float32 by enough to be worth what
// they lose: twice with AVX2, three times with VNNI (docs/measurements/eight-bits.md).
func quickIntegers() bool { return cpu.X86.HasAVX2 || wideSums() }

// wideSums says whether the processor adds products of 8 bits in 32 (VNNI; the dot product of ARM).
func wideSums() bool {
	return cpu.X86.HasAVX512VNNI || cpu.X86.HasAVXVNNI || cpu.ARM64.HasASIMDDP
}

// largestValue is what the high end of a tensor's range is stored as for this processor.
func largestValue() int {
	if wideSums() {
		return onnx.ValuesFull
	}
	return onnx.ValuesSafe
}

// integers is a classifier's file, rewritten when it is loaded to compute in 8 bits. The error says why that cannot be.
func integers(e models.Entry, path string) (ort.Source, error) {
	if len(e.Ranges) == 0 {
		return ort.Source{}, errors.New(`the ranges of its tensors are not known; import it again, calibrated with ` +
			`a folder of faces`)
	}
	ranges := make(map[string]onnx.Range, len(e.Ranges))
	for name, r := range e.Ranges {
		ranges[name] = onnx.Range{Low: r[0], High: r[1]}
	}
	return ort.Source{Path: path, Graph: func(string) ([]byte, error) {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		m, err := onnx.Parse(data)
		if err == nil {
			wide := m.Graph.Widen()
			m.Graph, err = wide.Quantise(ranges, largestValue())
		}
		if err != nil {
			return nil, fmt.Errorf("compute %s in 8 bits: %w", path, err)
		}
		return m.Marshal(), nil
	}}, nil
}

// openIntegers loads a classifier in 8 bits, which only the processor gains by.
func (e *Engine) openIntegers(entry models.Entry, m pipeline.Model, path string, s Settings) (*ort.Classifier, error) {
	if e.form.provider != ort.CPU {
		return nil, field.Valuef("Precision", INT8, "%s does not compute so; use the CPU, or fp16", e.form.provider)
	}
	from, err := integers(entry, path)
	if err != nil {
		return nil, field.Valuef("Precision", INT8, "model %s: %w", entry.Name, err)
	}
	return e.runtime.NewClassifierFrom(from, m, e.form.running(s.Threads, e.form.faces))
}

// hurries says whether a second network in 8 bits takes over while the machine is full.
func (e *Engine) hurries(entry models.Entry, s Settings) bool {
	return s.Many && e.form.provider == ort.CPU && len(entry.Ranges) > 0 && quickIntegers() &&
		(s.Device.Precision == Auto || s.Device.Precision == "")
}
