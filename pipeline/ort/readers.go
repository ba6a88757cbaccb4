package ort

import (
	"fmt"

	"mindflow/pipeline"
)

// reader says which outputs a detector's decoder reads, and reads them.
type reader struct {
	outputs []expected               // in the order of shapes
	shapes  func(w, h int) [][]int64 // for a tensor of w by h pixels, without the batch axis
	decode  func(dst []pipeline.Face, said row, width int, fit pipeline.Fit) []pipeline.Face
}

func newReader(m pipeline.Model) (reader, error) {
	switch m.Decoder {
	case "blazeface":
		return blazeFace(m)
	case "yunet":
		return yuNet(m)
	}
	return reader{}, fmt.Errorf(`manifest entry %q: decoder: %q cannot be read here, want "blazeface" or "yunet"`, m.Name, m.Decoder)
}

// byKind gives m's outputs of each of the kinds, number of them each, in the order of kinds. shape is of
// the i-th of a kind.
func byKind(m pipeline.Model, number int, kinds []string, shape func(kind, i int) []int64) ([]expected, error) {
	sorted := make([][]expected, len(kinds))
	for i, o := range m.Outputs {
		field := fmt.Sprintf("outputs[%d]", i)
		for k, kind := range kinds {
			if n := len(sorted[k]); o.Kind == kind && n < number {
				sorted[k] = append(sorted[k], expected{field, o.Name, shape(k, n), field})
			}
		}
	}
	var outputs []expected
	for _, s := range sorted {
		outputs = append(outputs, s...)
	}
	if want := number * len(kinds); len(outputs) != want || len(m.Outputs) != want {
		return nil, fmt.Errorf("manifest entry %q: outputs: %s has %d of each kind of %q, the finest grid first", m.Name, m.Decoder, number, kinds)
	}
	return outputs, nil
}

// blazeFaceAnchors is the number of anchors of the two grids.
var blazeFaceAnchors = [2]int64{512, 384}

// blazeFaceValues is a box and six key points.
const blazeFaceValues = 16

func blazeFace(m pipeline.Model) (reader, error) {
	outputs, err := byKind(m, 2, []string{"scores", "boxes"}, func(kind, i int) []int64 {
		return []int64{1, blazeFaceAnchors[i], []int64{1, blazeFaceValues}[kind]}
	})
	return reader{
		outputs: outputs,
		shapes: func(int, int) [][]int64 {
			shapes := make([][]int64, len(outputs))
			for i, o := range outputs {
				shapes[i] = o.shape[1:]
			}
			return shapes
		},
		decode: func(dst []pipeline.Face, said row, _ int, fit pipeline.Fit) []pipeline.Face {
			scores := [2][]float32{said.output(0), said.output(1)}
			boxes := [2][]float32{said.output(2), said.output(3)}
			return pipeline.DecodeBlazeFace(dst, scores, boxes, fit, m)
		},
	}, err
}

// yuNetValues are those of a cell by kind of output.
var (
	yuNetKinds  = []string{"scores", "objectness", "boxes", "points"}
	yuNetValues = []int64{1, 1, 4, 10}
)

func yuNet(m pipeline.Model) (reader, error) {
	levels := len(pipeline.YuNetStrides)
	outputs, err := byKind(m, levels, yuNetKinds, func(kind, _ int) []int64 {
		return []int64{1, free, yuNetValues[kind]}
	})
	if err == nil && !m.Input.Dynamic {
		err = fmt.Errorf("manifest entry %q: input.dynamic: is false, yunet takes pictures of any size", m.Name)
	}
	return reader{
		outputs: outputs,
		shapes: func(w, h int) (shapes [][]int64) {
			for _, values := range yuNetValues {
				for _, stride := range pipeline.YuNetStrides {
					shapes = append(shapes, []int64{int64(w / stride * (h / stride)), values})
				}
			}
			return shapes
		},
		decode: func(dst []pipeline.Face, said row, width int, fit pipeline.Fit) []pipeline.Face {
			var found [3]pipeline.YuNetLevel
			for i := range found {
				found[i] = pipeline.YuNetLevel{Class: said.output(i), Object: said.output(levels + i),
					Boxes: said.output(2*levels + i), Points: said.output(3*levels + i)}
			}
			return pipeline.DecodeYuNet(dst, found, width, fit, m)
		},
	}, err
}
