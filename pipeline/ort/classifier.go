package ort

import (
	"context"
	"fmt"
	"runtime"

	"mindflow/pipeline"
	"mindflow/pipeline/schedule"
)

// Classifier scores face crops. It implements pipeline.Classifier.
type Classifier struct {
	model   pipeline.Model
	opts    RunOptions
	outputs classifierOutputs
	session *session
	pool    *schedule.Pool[workspace]
}

var _ pipeline.Classifier = (*Classifier)(nil)

// NewClassifier loads the classifier that m describes from the file at path. threads (1 or more) work on one batch of
// at most maxBatch crops (zero means schedule.DefaultBatch); more crops run in several batches. The error names the
// field of the manifest that does not fit the file.
func (r *Runtime) NewClassifier(path string, m pipeline.Model, threads, maxBatch int) (*Classifier, error) {
	return r.NewClassifierFrom(Source{Path: path}, m, RunOptions{Threads: threads, MaxBatch: maxBatch})
}

// NewClassifierFrom is NewClassifier for a network that may be rewritten when it is loaded, with options that suit its
// device. Where m.Input.Bytes is set, the rewritten network takes bytes; in all else m describes the file.
func (r *Runtime) NewClassifierFrom(from Source, m pipeline.Model, opts RunOptions) (*Classifier, error) {
	if opts.MaxBatch == 0 {
		opts.MaxBatch = schedule.DefaultBatch
	}
	if opts.InFlight == 0 {
		opts.InFlight = runtime.GOMAXPROCS(0)
	}
	path := from.Path
	if len(m.Labels) == 0 {
		return nil, fmt.Errorf("manifest entry %q: labels: missing; a classifier has one for each class", m.Name)
	}
	in, out, err := describe(path)
	if err != nil {
		return nil, err
	}
	batch, maxBatch := batchOf(m.Input.Name, in, opts.MaxBatch)
	opts.MaxBatch = maxBatch
	input := expectedInput(m, batch)
	outputs, err := newClassifierOutputs(m, batch, out)
	if err != nil {
		return nil, fmt.Errorf("manifest entry %q: %w", m.Name, err)
	}
	if err := agree(path, m, input, outputs.tensors, in, out); err != nil {
		return nil, err
	}
	if err := outputs.measureAttention(m, out); err != nil {
		return nil, fmt.Errorf("manifest entry %q does not fit %s: %w", m.Name, path, err)
	}
	picture := shapeOf(m.Input, m.Input.Size, m.Input.Size)
	s, err := r.newSession(plan{name: m.Name, path: path, input: m.Input.Name, outputs: outputs.names(),
		threads: opts.Threads, graph: from.Graph, maxBatch: maxBatch, picture: picture})
	if err != nil {
		return nil, err
	}
	create := func() *workspace { return newWorkspace(s, opts, m.Input.Bytes, picture, outputs.shapes()...) }
	return &Classifier{m, opts, outputs, s, schedule.NewPool(opts.InFlight, create, (*workspace).close)}, nil
}

// Classify appends one Scores for each crop to dst, and reuses the memory beyond dst's length. At most
// RunOptions.InFlight calls run at once; others wait until ctx ends.
func (c *Classifier) Classify(
	ctx context.Context, dst []pipeline.Scores, crops []pipeline.Crop,
) ([]pipeline.Scores, error) {
	size := c.model.Input.Len()
	for i, crop := range crops {
		if crop.Len() != size || (crop.Bytes != nil) != c.model.Input.Bytes {
			return dst, fmt.Errorf("crop %d has %d values, %s takes %d", i, crop.Len(), c.model.Name, size)
		}
	}
	w, err := c.pool.Acquire(ctx)
	if err != nil {
		return dst, err
	}
	defer c.pool.Release(w)
	start := len(dst)
	for len(crops) > 0 {
		n := min(len(crops), len(w.batches))
		for i, crop := range crops[:n] {
			to := w.picture(i)
			copy(to.Values, crop.Values)
			copy(to.Bytes, crop.Bytes)
		}
		if err := ctx.Err(); err != nil {
			return dst[:start], err
		}
		if err := w.run(n); err != nil {
			return dst[:start], err
		}
		for i := range n {
			dst = c.outputs.appendScores(dst, row{w, i})
		}
		crops = crops[n:]
	}
	return dst, nil
}

// Options returns how the network is run: with the largest batch that its file allows.
func (c *Classifier) Options() RunOptions { return c.opts }

// Close waits for calls that run and frees the network. Later calls fail.
func (c *Classifier) Close() error { return c.pool.Close(c.session.close) }
