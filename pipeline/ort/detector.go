package ort

import (
	"context"
	"errors"
	"runtime"

	"mindflow/pipeline"
	"mindflow/pipeline/schedule"
)

// Detector is a network that finds faces: BlazeFace (arXiv 1907.05047) or YuNet. It implements
// pipeline.Detector.
type Detector struct {
	model   pipeline.Model
	reader  reader
	session *session
	pool    *schedule.Pool[detection]
	shared  *gatherer // nil where each frame is run alone
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
	return r.NewDetectorOf(Source{Path: path}, m, Running{Threads: threads})
}

// NewDetectorOf is NewDetector for a network that may be rewritten when it is loaded, run in a way that suits its device. Where
// how.Most is over 1, it takes any number of pictures, and frames of several callers are run together. Frames that give tensors
// of different sizes, as a dynamic network's may, cannot be: they are run alone.
func (r *Runtime) NewDetectorOf(from Source, m pipeline.Model, how Running) (*Detector, error) {
	reader, err := newReader(m)
	if err != nil {
		return nil, err
	}
	if err := conform(from.Path, m, expectedInput(m, 1), reader.outputs); err != nil {
		return nil, err
	}
	names := make([]string, len(reader.outputs))
	for i, o := range reader.outputs {
		names[i] = o.name
	}
	if how.Slots == 0 {
		how.Slots = runtime.GOMAXPROCS(0)
	}
	if how.Most == 0 || m.Input.Dynamic {
		how.Most = 1
	}
	p := plan{name: m.Name, path: from.Path, input: m.Input.Name, outputs: names, threads: how.Threads, graph: from.Graph}
	if how.Most > 1 {
		p.most, p.picture = how.Most, shapeOf(m.Input, m.Input.Size, m.Input.Size)
	}
	s, err := r.newSession(p)
	if err != nil {
		return nil, err
	}
	d := &Detector{model: m, reader: reader, session: s}
	create := func() *detection { return &detection{sampler: pipeline.NewSampler(m.Input)} }
	d.pool = schedule.NewPool(runtime.GOMAXPROCS(0), create, (*detection).close)
	if how.Most > 1 {
		size := m.Input.Size
		d.shared = newGatherer(how, func() *workspace { return d.workspace(how, size, size) })
	}
	return d, nil
}

// Detect finds faces. The frame is read during the call only. At most as many calls as there are
// processors run at once; others wait for ctx.
func (d *Detector) Detect(ctx context.Context, dst []pipeline.Face, f *pipeline.Frame) ([]pipeline.Face, error) {
	if d.shared != nil {
		return d.together(ctx, dst, f)
	}
	w, err := d.pool.Acquire(ctx)
	if err != nil {
		return dst, err
	}
	defer d.pool.Release(w)
	if err := d.fit(w, f); err != nil {
		return dst, err
	}
	fit := w.sampler.Letterbox(w.picture(0), f)
	if err := w.run(1); err != nil {
		return dst, err
	}
	return d.reader.decode(dst, row{w.workspace, 0}, w.width, fit), nil
}

// together has the frame's faces found in one batch with those of others who call now.
func (d *Detector) together(ctx context.Context, dst []pipeline.Face, f *pipeline.Frame) ([]pipeline.Face, error) {
	g, seat, err := d.shared.join(ctx)
	if err != nil {
		return dst, err
	}
	defer d.shared.leave(g)
	fit, err := d.sample(ctx, g, seat, f)
	if err != nil {
		return dst, err
	}
	return d.reader.decode(dst, row{g.workspace, seat}, d.model.Input.Size, fit), nil
}

// sample lays f where the batch has its seat, and returns when the batch was run.
func (d *Detector) sample(ctx context.Context, g *gathering, seat int, f *pipeline.Frame) (fit pipeline.Fit, err error) {
	// Deferred, so that a panic of one who samples leaves nobody waiting.
	defer func() {
		g.sampling.Done()
		err = errors.Join(err, d.shared.finish(g, seat))
	}()
	w, err := d.pool.Acquire(ctx)
	if err != nil {
		return fit, err
	}
	defer d.pool.Release(w)
	return w.sampler.Letterbox(g.picture(seat), f), nil
}

// Warm runs a batch of each size where frames are run together, before the first call, and tells which is next.
func (d *Detector) Warm(tell func(batch int)) error {
	if d.shared == nil {
		return nil
	}
	return d.shared.warm(tell)
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
	w.workspace = d.workspace(Running{Most: 1}, width, height)
	w.width, w.height = width, height
	return nil
}

func (d *Detector) workspace(how Running, width, height int) *workspace {
	in := d.model.Input
	return newWorkspace(d.session, how, in.Bytes, shapeOf(in, width, height), d.reader.shapes(width, height)...)
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
func (d *Detector) Close() error {
	var err error
	if d.shared != nil {
		err = d.shared.close()
	}
	return errors.Join(err, d.pool.Close(d.session.close))
}
