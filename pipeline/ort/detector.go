package ort

import (
	"context"
	"errors"
	"runtime"

	"mindflow/pipeline"
	"mindflow/pipeline/schedule"
)

// Detector is a network that finds faces: BlazeFace (arXiv 1907.05047) or YuNet. It implements pipeline.Detector.
type Detector struct {
	model   pipeline.Model
	decoder outputDecoder
	session *session
	pool    *schedule.Pool[detection]
	shared  *frameBatcher // nil where each frame runs alone
}

var _ pipeline.Detector = (*Detector)(nil)

// detection is the memory of one call. It fits one size of tensor at a time: a stream seldom changes its size, and to
// allocate another costs far less than running the network.
type detection struct {
	*workspace
	sampler       *pipeline.Sampler
	width, height int // of the tensor
}

// NewDetector loads the detector that m describes from the file at path. threads (1 or more) work on one frame. The
// error names the field of the manifest that does not fit the file.
func (r *Runtime) NewDetector(path string, m pipeline.Model, threads int) (*Detector, error) {
	return r.NewDetectorFrom(Source{Path: path}, m, RunOptions{Threads: threads})
}

// NewDetectorFrom is NewDetector for a network that may be rewritten when it is loaded, with options that suit its
// device. Where opts.MaxBatch is over 1, the network takes any number of pictures, and frames of several callers run in
// one batch. The frames of a dynamic network differ in size and run alone.
func (r *Runtime) NewDetectorFrom(from Source, m pipeline.Model, opts RunOptions) (*Detector, error) {
	decoder, err := newOutputDecoder(m)
	if err != nil {
		return nil, err
	}
	if err := conform(from.Path, m, expectedInput(m, 1), decoder.outputs); err != nil {
		return nil, err
	}
	names := make([]string, len(decoder.outputs))
	for i, o := range decoder.outputs {
		names[i] = o.name
	}
	if opts.InFlight == 0 {
		opts.InFlight = runtime.GOMAXPROCS(0)
	}
	if opts.MaxBatch == 0 || m.Input.Dynamic {
		opts.MaxBatch = 1
	}
	p := plan{name: m.Name, path: from.Path, input: m.Input.Name, outputs: names, threads: opts.Threads,
		graph: from.Graph}
	if opts.MaxBatch > 1 {
		p.maxBatch, p.picture = opts.MaxBatch, shapeOf(m.Input, m.Input.Size, m.Input.Size)
	}
	s, err := r.newSession(p)
	if err != nil {
		return nil, err
	}
	d := &Detector{model: m, decoder: decoder, session: s}
	create := func() *detection { return &detection{sampler: pipeline.NewSampler(m.Input)} }
	d.pool = schedule.NewPool(runtime.GOMAXPROCS(0), create, (*detection).close)
	if opts.MaxBatch > 1 {
		size := m.Input.Size
		d.shared = newFrameBatcher(opts, func() *workspace { return d.workspace(opts, size, size) })
	}
	return d, nil
}

// Detect finds faces. It reads the frame during the call only. At most as many calls as there are processors run at
// once; others wait until ctx ends.
func (d *Detector) Detect(ctx context.Context, dst []pipeline.Face, f *pipeline.Frame) ([]pipeline.Face, error) {
	if d.shared != nil {
		return d.detectShared(ctx, dst, f)
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
	return d.decoder.decode(dst, row{w.workspace, 0}, w.width, fit), nil
}

// detectShared finds the frame's faces in one batch with the frames of other callers.
func (d *Detector) detectShared(
	ctx context.Context, dst []pipeline.Face, f *pipeline.Frame,
) ([]pipeline.Face, error) {
	b, index, err := d.shared.join(ctx)
	if err != nil {
		return dst, err
	}
	defer d.shared.leave(b)
	fit, err := d.runShared(ctx, b, index, f)
	if err != nil {
		return dst, err
	}
	return d.decoder.decode(dst, row{b.workspace, index}, d.model.Input.Size, fit), nil
}

// runShared samples f to its place in the batch, and returns when the batch has run.
func (d *Detector) runShared(
	ctx context.Context, b *frameBatch, index int, f *pipeline.Frame,
) (fit pipeline.Fit, err error) {
	// Deferred, so that a panic while sampling leaves no other caller waiting.
	defer func() {
		b.sampling.Done()
		err = errors.Join(err, d.shared.finish(b, index))
	}()
	w, err := d.pool.Acquire(ctx)
	if err != nil {
		return fit, err
	}
	defer d.pool.Release(w)
	return w.sampler.Letterbox(b.picture(index), f), nil
}

// Warm runs a batch of each size where frames share batches, and calls progress before each. Call it before the first
// Detect.
func (d *Detector) Warm(progress func(batch int)) error {
	if d.shared == nil {
		return nil
	}
	return d.shared.warm(progress)
}

// fit sets w to a workspace of the size that f needs.
func (d *Detector) fit(w *detection, f *pipeline.Frame) error {
	width, height := d.model.Input.TensorSize(f)
	if w.workspace != nil && width == w.width && height == w.height {
		return nil
	}
	if err := w.close(); err != nil {
		return err
	}
	w.workspace = d.workspace(RunOptions{MaxBatch: 1}, width, height)
	w.width, w.height = width, height
	return nil
}

func (d *Detector) workspace(opts RunOptions, width, height int) *workspace {
	in := d.model.Input
	return newWorkspace(d.session, opts, in.Bytes, shapeOf(in, width, height), d.decoder.shapes(width, height)...)
}

func (d *detection) close() error {
	if d.workspace == nil {
		return nil
	}
	err := d.workspace.close()
	d.workspace = nil
	return err
}

// Close waits for calls that run and frees the network. Later calls fail.
func (d *Detector) Close() error {
	var err error
	if d.shared != nil {
		err = d.shared.close()
	}
	return errors.Join(err, d.pool.Close(d.session.close))
}
