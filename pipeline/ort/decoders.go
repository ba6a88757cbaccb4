package ort

import (
	"fmt"

	"mindflow/pipeline"
)

// outputDecoder decodes the outputs of a detector.
type outputDecoder struct {
	outputs []expectedTensor         // in the order of shapes
	shapes  func(w, h int) [][]int64 // of the outputs for a tensor of w by h pixels, without the batch axis
	decode  func(dst []pipeline.Face, out row, width int, fit pipeline.Fit) []pipeline.Face
}

func newOutputDecoder(m pipeline.Model) (outputDecoder, error) {
	switch m.Decoder {
	case "blazeface":
		return blazeFace(m)
	case "yunet":
		return yuNet(m)
	}
	return outputDecoder{},
		fmt.Errorf(`manifest entry %q: decoder: %q cannot be read here, want "blazeface" or "yunet"`,
			m.Name, m.Decoder)
}

// byKind returns m's outputs in the order of kinds, number of them for each kind. shape returns the shape of the i-th
// output of a kind.
func byKind(m pipeline.Model, number int, kinds []string, shape func(kind, i int) []int64) ([]expectedTensor, error) {
	sorted := make([][]expectedTensor, len(kinds))
	for i, o := range m.Outputs {
		field := fmt.Sprintf("outputs[%d]", i)
		for k, kind := range kinds {
			if n := len(sorted[k]); o.Kind == kind && n < number {
				sorted[k] = append(sorted[k], expectedTensor{field, o.Name, shape(k, n), field})
			}
		}
	}
	var outputs []expectedTensor
	for _, s := range sorted {
		outputs = append(outputs, s...)
	}
	if want := number * len(kinds); len(outputs) != want || len(m.Outputs) != want {
		return nil, fmt.Errorf("manifest entry %q: outputs: %s has %d of each kind of %q, the finest grid first",
			m.Name, m.Decoder, number, kinds)
	}
	return outputs, nil
}

// blazeFaceAnchors is the number of anchors of the two grids.
var blazeFaceAnchors = [2]int64{512, 384}

// blazeFaceValues is the number of values of a box and six key points.
const blazeFaceValues = 16

func blazeFace(m pipeline.Model) (outputDecoder, error) {
	outputs, err := byKind(m, 2, []string{"scores", "boxes"}, func(kind, i int) []int64 {
		return []int64{1, blazeFaceAnchors[i], []int64{1, blazeFaceValues}[kind]}
	})
	return outputDecoder{
		outputs: outputs,
		shapes: func(int, int) [][]int64 {
			shapes := make([][]int64, len(outputs))
			for i, o := range outputs {
				shapes[i] = o.shape[1:]
			}
			return shapes
		},
		decode: func(dst []pipeline.Face, out row, _ int, fit pipeline.Fit) []pipeline.Face {
			scores := [2][]float32{out.output(0), out.output(1)}
			boxes := [2][]float32{out.output(2), out.output(3)}
			return pipeline.DecodeBlazeFace(dst, scores, boxes, fit, m)
		},
	}, err
}

// YuNet's kinds of outputs, and the number of values of each in a cell.
var (
	yuNetKinds  = []string{"scores", "objectness", "boxes", "points"}
	yuNetValues = []int64{1, 1, 4, 10}
)

func yuNet(m pipeline.Model) (outputDecoder, error) {
	levels := len(pipeline.YuNetStrides)
	outputs, err := byKind(m, levels, yuNetKinds, func(kind, _ int) []int64 {
		return []int64{1, free, yuNetValues[kind]}
	})
	if err == nil && !m.Input.Dynamic {
		err = fmt.Errorf("manifest entry %q: input.dynamic: is false, yunet takes pictures of any size", m.Name)
	}
	return outputDecoder{
		outputs: outputs,
		shapes: func(w, h int) (shapes [][]int64) {
			for _, values := range yuNetValues {
				for _, stride := range pipeline.YuNetStrides {
					shapes = append(shapes, []int64{int64(w / stride * (h / stride)), values})
				}
			}
			return shapes
		},
		decode: func(dst []pipeline.Face, out row, width int, fit pipeline.Fit) []pipeline.Face {
			var found [3]pipeline.YuNetLevel
			for i := range found {
				found[i] = pipeline.YuNetLevel{Class: out.output(i), Object: out.output(levels + i),
					Boxes: out.output(2*levels + i), Points: out.output(3*levels + i)}
			}
			return pipeline.DecodeYuNet(dst, found, width, fit, m)
		},
	}, err
}
