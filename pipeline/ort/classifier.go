package ort

import (
	"context"
	"fmt"
	"runtime"

	"mindflow/pipeline"
)

// mostCrops is the largest batch; more crops than that run in several.
const mostCrops = 8

// Classifier scores face crops. It implements pipeline.Classifier.
type Classifier struct {
	model   pipeline.Model
	session *session
	pool    *pipeline.Pool[workspace]
}

var _ pipeline.Classifier = (*Classifier)(nil)

// NewClassifier loads the classifier that m describes from the file at path. threads (1 or more) work
// on one batch. The error says which field of the manifest does not fit the file.
func (r *Runtime) NewClassifier(path string, m pipeline.Model, threads int) (*Classifier, error) {
	classes := int64(len(m.Labels))
	if classes == 0 {
		return nil, fmt.Errorf("manifest entry %q: labels: none; a classifier has one a class", m.Name)
	}
	input := expectedInput(m, free)
	logits := ""
	var outputs []expected
	for i, o := range m.Outputs {
		e := expected{field: fmt.Sprintf("outputs[%d]", i), name: o.Name}
		if o.Kind == "logits" {
			logits = o.Name
			e.shape, e.from = []int64{free, classes}, "labels"
		}
		outputs = append(outputs, e)
	}
	if logits == "" {
		return nil, fmt.Errorf("manifest entry %q: outputs: none has kind logits", m.Name)
	}
	if err := conform(path, m, input, outputs); err != nil {
		return nil, err
	}
	s, err := r.newSession(path, m.Input.Name, []string{logits}, threads)
	if err != nil {
		return nil, err
	}
	create := func() *workspace { return newWorkspace(s, mostCrops, input.shape[1:], []int64{classes}) }
	return &Classifier{m, s, pipeline.NewPool(runtime.GOMAXPROCS(0), create, (*workspace).close)}, nil
}

// Classify appends one Scores a crop to dst; it reuses the logits' memory of what stood beyond dst's
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
		n := min(len(crops), mostCrops)
		for i, crop := range crops[:n] {
			copy(w.input()[i*size:], crop)
		}
		if err := ctx.Err(); err != nil {
			return dst[:start], err
		}
		if err := w.run(n); err != nil {
			return dst[:start], err
		}
		classes := len(c.model.Labels)
		for i := range n {
			dst = appendScores(dst, w.output(0)[i*classes:(i+1)*classes])
		}
		crops = crops[n:]
	}
	return dst, nil
}

func appendScores(dst []pipeline.Scores, logits []float32) []pipeline.Scores {
	if len(dst) == cap(dst) {
		dst = append(dst, pipeline.Scores{})
	} else {
		dst = dst[:len(dst)+1]
	}
	s := &dst[len(dst)-1]
	s.Logits = append(s.Logits[:0], logits...)
	return dst
}

// Close waits for running calls and frees the network. Later calls fail.
func (c *Classifier) Close() error { return c.pool.Close(c.session.close) }
