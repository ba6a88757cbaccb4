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

// INT8 is the precision of convolutions in 8-bit integers. The attention gates stay in float32.
const INT8 = "int8"

// fastInt8 reports whether convolutions in 8 bits are so much faster than in float32 that they are worth their loss of
// accuracy: twice with AVX2, three times with VNNI (docs/measurements/eight-bits.md).
func fastInt8() bool { return cpu.X86.HasAVX2 || hasDotProduct() }

// hasDotProduct reports whether the processor sums products of 8 bits in 32 bits (VNNI; the dot product of ARM).
func hasDotProduct() bool {
	return cpu.X86.HasAVX512VNNI || cpu.X86.HasAVXVNNI || cpu.ARM64.HasASIMDDP
}

// largestValue returns the 8-bit value for the high end of a tensor's range on this processor.
func largestValue() int {
	if hasDotProduct() {
		return onnx.ValuesFull
	}
	return onnx.ValuesSafe
}

// int8Source returns the source of a classifier that computes in 8 bits. The error says why that is not possible.
func int8Source(e models.Entry, path string) (ort.Source, error) {
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

// openInt8 loads a classifier in 8 bits, which only the CPU gains from.
func (e *Engine) openInt8(entry models.Entry, m pipeline.Model, path string, s Settings) (*ort.Classifier, error) {
	if e.profile.provider != ort.CPU {
		return nil, field.Valuef("Precision", INT8, "%s does not compute so; use the CPU, or fp16", e.profile.provider)
	}
	from, err := int8Source(entry, path)
	if err != nil {
		return nil, field.Valuef("Precision", INT8, "model %s: %w", entry.Name, err)
	}
	return e.runtime.NewClassifierFrom(from, m, e.profile.runOptions(s.Threads, e.profile.maxFaces))
}

// wantsFast reports whether a second network in 8 bits is loaded, for overload.
func (e *Engine) wantsFast(entry models.Entry, s Settings) bool {
	return s.LoadFast && e.profile.provider == ort.CPU && len(entry.Ranges) > 0 && fastInt8() &&
		(s.Device.Precision == Auto || s.Device.Precision == "")
}
