package ort

import (
	"context"
	"runtime"

	"mindflow/pipeline"
)

// Detector is a network that finds faces: BlazeFace (arXiv 1907.05047) or YuNet. It implements
// pipeline.Detector.
type Detector struct {
	model   pipeline.Model
	reader  reader
	session *session
	pool    *pipeline.Pool[detection]
}

var _ pipeline.Detector = (*Detector)(nil)

// detection is the memory of one call. It fits one size of tensor at a time: a stream seldom changes its
// own, and one that differs from its neighbour's costs far less than running the network.
type detection struct {
	*workspace
	sampler       *pipeline.Sampler
	width, height int // of the tensor
}

// NewDetector loads the detector that m describes from the file at path. threads (1 or more) work on
// one frame. The error says which field of the manifest does not fit the file.
func (r *Runtime) NewDetector(path string, m pipeline.Model, threads int) (*Detector, error) {
	reader, err := newReader(m)
	if err != nil {
		return nil, err
	}
	if err := conform(path, m, expectedInput(m, 1), reader.outputs); err != nil {
		return nil, err
	}
	names := make([]string, len(reader.outputs))
	for i, o := range reader.outputs {
		names[i] = o.name
	}
	s, err := r.newSession(path, m.Input.Name, names, threads)
	if err != nil {
		return nil, err
	}
	create := func() *detection { return &detection{sampler: pipeline.NewSampler(m.Input)} }
	return &Detector{m, reader, s, pipeline.NewPool(runtime.GOMAXPROCS(0), create, (*detection).close)}, nil
}

// Detect finds faces. The frame is read during the call only. At most as many calls as there are
// processors run at once; others wait for ctx.
func (d *Detector) Detect(ctx context.Context, dst []pipeline.Face, f *pipeline.Frame) ([]pipeline.Face, error) {
	w, err := d.pool.Take(ctx)
	if err != nil {
		return dst, err
	}
	defer d.pool.Give(w)
	if err := d.fit(w, f); err != nil {
		return dst, err
	}
	fit := w.sampler.Letterbox(w.input(), f)
	if err := w.run(1); err != nil {
		return dst, err
	}
	return d.reader.decode(dst, w.workspace, w.width, fit), nil
}

// fit gives w a workspace of the size that f takes.
func (d *Detector) fit(w *detection, f *pipeline.Frame) error {
	width, height := d.model.Input.TensorSize(f)
	if w.workspace != nil && width == w.width && height == w.height {
		return nil
	}
	if err := w.close(); err != nil {
		return err
	}
	channels := int64(d.model.Input.Channels)
	shape := []int64{channels, int64(height), int64(width)}
	if d.model.Input.Layout == pipeline.NHWC {
		shape = []int64{int64(height), int64(width), channels}
	}
	w.workspace = newWorkspace(d.session, 1, shape, d.reader.shapes(width, height)...)
	w.width, w.height = width, height
	return nil
}

func (d *detection) close() error {
	if d.workspace == nil {
		return nil
	}
	err := d.workspace.close()
	d.workspace = nil
	return err
}

// Close waits for running calls and frees the network. Later calls fail.
func (d *Detector) Close() error { return d.pool.Close(d.session.close) }
