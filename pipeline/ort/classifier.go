package ort

import (
	"context"
	"fmt"
	"runtime"

	"mindflow/pipeline"
)

// Classifier scores face crops. It implements pipeline.Classifier.
type Classifier struct {
	model   pipeline.Model
	outputs classified
	session *session
	pool    *pipeline.Pool[workspace]
}

var _ pipeline.Classifier = (*Classifier)(nil)

// NewClassifier loads the classifier that m describes from the file at path. threads (1 or more) work
// on one batch of at most most crops (0 is pipeline.DefaultBatch); more run in several. The error says which field
// of the manifest does not fit the file.
func (r *Runtime) NewClassifier(path string, m pipeline.Model, threads, most int) (*Classifier, error) {
	if most == 0 {
		most = pipeline.DefaultBatch
	}
	if len(m.Labels) == 0 {
		return nil, fmt.Errorf("manifest entry %q: labels: none; a classifier has one a class", m.Name)
	}
	in, out, err := describe(path)
	if err != nil {
		return nil, err
	}
	batch, most := batchOf(m.Input.Name, in, most)
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
	s, err := r.newSession(path, m.Input.Name, outputs.names(), threads)
	if err != nil {
		return nil, err
	}
	create := func() *workspace { return newWorkspace(s, most, input.shape[1:], outputs.shapes()...) }
	return &Classifier{m, outputs, s, pipeline.NewPool(runtime.GOMAXPROCS(0), create, (*workspace).close)}, nil
}

// Classify appends one Scores a crop to dst; it reuses the memory of what stood beyond dst's
// length. At most as many calls as there are processors run at once; others wait for ctx.
func (c *Classifier) Classify(ctx context.Context, dst []pipeline.Scores, crops []pipeline.Crop) ([]pipeline.Scores, error) {
	size := c.model.Input.Len()
	for i, crop := range crops {
		if len(crop) != size {
			return dst, fmt.Errorf("crop %d has %d values, %s takes %d", i, len(crop), c.model.Name, size)
		}
	}
	w, err := c.pool.Take(ctx)
	if err != nil {
		return dst, err
	}
	defer c.pool.Give(w)
	start := len(dst)
	for len(crops) > 0 {
		n := min(len(crops), len(w.batches))
		for i, crop := range crops[:n] {
			copy(w.input()[i*size:], crop)
		}
		if err := ctx.Err(); err != nil {
			return dst[:start], err
		}
		if err := w.run(n); err != nil {
			return dst[:start], err
		}
		for i := range n {
			dst = c.outputs.appendScores(dst, w, i)
		}
		crops = crops[n:]
	}
	return dst, nil
}

// Close waits for running calls and frees the network. Later calls fail.
func (c *Classifier) Close() error { return c.pool.Close(c.session.close) }
