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
	running Running
	outputs classified
	session *session
	pool    *schedule.Pool[workspace]
}

var _ pipeline.Classifier = (*Classifier)(nil)

// NewClassifier loads the classifier that m describes from the file at path. threads (1 or more) work
// on one batch of at most most crops (0 is schedule.DefaultBatch); more run in several. The error says which field
// of the manifest does not fit the file.
func (r *Runtime) NewClassifier(path string, m pipeline.Model, threads, most int) (*Classifier, error) {
	return r.NewClassifierOf(Source{Path: path}, m, Running{Threads: threads, Most: most})
}

// NewClassifierOf is NewClassifier for a network that may be rewritten when it is loaded, run in a way that suits its device. Where
// m.Input.Bytes is set, the rewritten one takes bytes; m describes the file otherwise.
func (r *Runtime) NewClassifierOf(from Source, m pipeline.Model, how Running) (*Classifier, error) {
	if how.Most == 0 {
		how.Most = schedule.DefaultBatch
	}
	if how.Slots == 0 {
		how.Slots = runtime.GOMAXPROCS(0)
	}
	path := from.Path
	if len(m.Labels) == 0 {
		return nil, fmt.Errorf("manifest entry %q: labels: none; a classifier has one a class", m.Name)
	}
	in, out, err := describe(path)
	if err != nil {
		return nil, err
	}
	batch, most := batchOf(m.Input.Name, in, how.Most)
	how.Most = most
	input := expectedInput(m, batch)
	outputs, err := classifierOutputs(m, batch)
	if err != nil {
		return nil, fmt.Errorf("manifest entry %q: %w", m.Name, err)
	}
	if err := agree(path, m, input, outputs.expected, in, out); err != nil {
		return nil, err
	}
	if err := outputs.measureAttention(m, out); err != nil {
		return nil, fmt.Errorf("manifest entry %q does not fit %s: %w", m.Name, path, err)
	}
	picture := shapeOf(m.Input, m.Input.Size, m.Input.Size)
	s, err := r.newSession(plan{name: m.Name, path: path, input: m.Input.Name, outputs: outputs.names(), threads: how.Threads, graph: from.Graph,
		most: most, picture: picture})
	if err != nil {
		return nil, err
	}
	create := func() *workspace { return newWorkspace(s, how, m.Input.Bytes, picture, outputs.shapes()...) }
	return &Classifier{m, how, outputs, s, schedule.NewPool(how.Slots, create, (*workspace).close)}, nil
}

// Classify appends one Scores a crop to dst; it reuses the memory of what stood beyond dst's
// length. At most as many calls as there are slots run at once; others wait for ctx.
func (c *Classifier) Classify(ctx context.Context, dst []pipeline.Scores, crops []pipeline.Crop) ([]pipeline.Scores, error) {
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

// Running is how the network is run: with the largest batch that its file allows.
func (c *Classifier) Running() Running { return c.running }

// Close waits for running calls and frees the network. Later calls fail.
func (c *Classifier) Close() error { return c.pool.Close(c.session.close) }
