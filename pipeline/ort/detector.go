package ort

import (
	"context"
	"fmt"
	"runtime"

	"mindflow/pipeline"
)

// blazeFaceAnchors is the number of anchors of the two grids of the 256×256 "back" model.
var blazeFaceAnchors = [2]int64{512, 384}

// blazeFaceValues is a box and six key points.
const blazeFaceValues = 16

// Detector is BlazeFace (arXiv 1907.05047). It implements pipeline.Detector.
type Detector struct {
	model   pipeline.Model
	session *session
	pool    *pool[detection]
}

var _ pipeline.Detector = (*Detector)(nil)

// detection is the memory of one call.
type detection struct {
	*workspace
	sampler *pipeline.Sampler
}

// NewDetector loads the detector that m describes from the file at path. threads (1 or more) work on
// one frame. The error says which field of the manifest does not fit the file.
func (r *Runtime) NewDetector(path string, m pipeline.Model, threads int) (*Detector, error) {
	if m.Decoder != "blazeface" {
		return nil, fmt.Errorf(`manifest entry %q: decoder: %q cannot be read here, want "blazeface"`, m.Name, m.Decoder)
	}
	outputs, err := blazeFaceOutputs(m)
	if err != nil {
		return nil, err
	}
	input := expectedInput(m, 1)
	if err := conform(path, m, input, outputs); err != nil {
		return nil, err
	}
	names, shapes := make([]string, len(outputs)), make([][]int64, len(outputs))
	for i, o := range outputs {
		names[i], shapes[i] = o.name, o.shape[1:]
	}
	s, err := r.newSession(path, m.Input.Name, names, threads)
	if err != nil {
		return nil, err
	}
	create := func() *detection {
		return &detection{newWorkspace(s, 1, input.shape[1:], shapes...), pipeline.NewSampler(m.Input)}
	}
	return &Detector{m, s, newPool(runtime.GOMAXPROCS(0), create, func(d *detection) error { return d.close() })}, nil
}

// blazeFaceOutputs puts the outputs in the order of DecodeBlazeFace: scores of both grids, then boxes.
func blazeFaceOutputs(m pipeline.Model) ([]expected, error) {
	byKind := map[string][]expected{}
	for i, o := range m.Outputs {
		grid := len(byKind[o.Kind])
		width := int64(1)
		if o.Kind == "boxes" {
			width = blazeFaceValues
		}
		field := fmt.Sprintf("outputs[%d]", i)
		byKind[o.Kind] = append(byKind[o.Kind], expected{field, o.Name, []int64{1, blazeFaceAnchors[grid%2], width}, field})
	}
	if len(m.Outputs) != 4 || len(byKind["scores"]) != 2 || len(byKind["boxes"]) != 2 {
		return nil, fmt.Errorf("manifest entry %q: outputs: blazeface has two of kind scores and two of kind boxes, each for the 16×16 grid first", m.Name)
	}
	return append(byKind["scores"], byKind["boxes"]...), nil
}

// Detect finds faces. The frame is read during the call only. At most as many calls as there are
// processors run at once; others wait for ctx.
func (d *Detector) Detect(ctx context.Context, dst []pipeline.Face, f *pipeline.Frame) ([]pipeline.Face, error) {
	w, err := d.pool.take(ctx)
	if err != nil {
		return dst, err
	}
	defer d.pool.give(w)
	fit := w.sampler.Letterbox(w.input(), f)
	if err := w.run(1); err != nil {
		return dst, err
	}
	scores := [2][]float32{w.output(0), w.output(1)}
	boxes := [2][]float32{w.output(2), w.output(3)}
	return pipeline.DecodeBlazeFace(dst, scores, boxes, fit, d.model.Threshold, d.model.NMS), nil
}

// Close waits for running calls and frees the network. Later calls fail.
func (d *Detector) Close() error { return d.pool.close(d.session.close) }
