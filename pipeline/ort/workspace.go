package ort

import (
	"errors"
	"fmt"
	"runtime"

	"mindflow/pipeline"

	ort "github.com/yalue/onnxruntime_go"
)

// workspace is the memory of one call of a session: its input and outputs, and for each size of batch that was used the
// tensors over that memory. One goroutine at a time uses it.
type workspace struct {
	session *session
	opts    RunOptions
	pin     runtime.Pinner // C keeps pointers to the memory as long as its tensors exist
	shapes  [][]int64      // of one picture: the input's, then the outputs'
	input   pipeline.Crop  // of all pictures, one after the other
	results [][]float32    // of each output, likewise
	batches []batch        // by number of pictures − 1; empty until used
}

// batch holds the tensors of one size of batch.
type batch struct{ inputs, outputs []ort.Value }

// newWorkspace allocates memory for batches of up to opts.MaxBatch pictures. Shapes are without the batch axis.
func newWorkspace(s *session, opts RunOptions, bytes bool, input []int64, outputs ...[]int64) *workspace {
	w := &workspace{session: s, opts: opts, shapes: append([][]int64{input}, outputs...),
		batches: make([]batch, opts.MaxBatch)}
	if n := opts.MaxBatch * values(input); bytes {
		w.input.Bytes = make([]byte, n)
		w.pin.Pin(&w.input.Bytes[0])
	} else {
		w.input.Values = make([]float32, n)
		w.pin.Pin(&w.input.Values[0])
	}
	for _, shape := range outputs {
		m := make([]float32, opts.MaxBatch*values(shape))
		w.pin.Pin(&m[0])
		w.results = append(w.results, m)
	}
	return w
}

// values returns the number of values in a tensor of this shape.
func values(shape []int64) int {
	n := 1
	for _, d := range shape {
		n *= int(d)
	}
	return n
}

// picture returns the memory of the i-th picture of the input.
func (w *workspace) picture(i int) (c pipeline.Crop) {
	n := values(w.shapes[0])
	if w.input.Bytes != nil {
		c.Bytes = w.input.Bytes[i*n : (i+1)*n]
	} else {
		c.Values = w.input.Values[i*n : (i+1)*n]
	}
	return c
}

// row is the outputs for one picture of the batch.
type row struct {
	w  *workspace
	at int
}

// output returns the values of the i-th output.
func (r row) output(i int) []float32 {
	n := values(r.w.shapes[1+i])
	return r.w.results[i][r.at*n : (r.at+1)*n]
}

// run computes the outputs of the first n pictures of the input. Where a batch of n is padded, the pictures that an
// earlier batch left behind are computed too, and ignored.
func (w *workspace) run(n int) error {
	size := w.opts.Size(n)
	b := &w.batches[size-1]
	if b.inputs == nil {
		if err := w.newTensors(b, int64(size)); err != nil {
			return err
		}
	}
	if err := w.session.run(b.inputs, b.outputs); err != nil {
		return fmt.Errorf("run network: %w", err)
	}
	return nil
}

// newTensors creates the tensors for n pictures.
func (w *workspace) newTensors(b *batch, n int64) error {
	var made []ort.Value
	for i, shape := range w.shapes {
		t, err := w.tensor(i, append(ort.Shape{n}, shape...))
		if err != nil {
			return errors.Join(fmt.Errorf("make a tensor for %d pictures of shape %v: %w", n, shape, err),
				w.destroy(made))
		}
		w.session.rt.live.Add(1)
		made = append(made, t)
	}
	b.inputs, b.outputs = made[:1], made[1:]
	return nil
}

// tensor creates a tensor over the input, number 0, or over an output.
func (w *workspace) tensor(i int, shape ort.Shape) (ort.Value, error) {
	switch {
	case i > 0:
		return ort.NewTensor(shape, w.results[i-1])
	case w.input.Bytes != nil:
		return ort.NewTensor(shape, w.input.Bytes)
	}
	return ort.NewTensor(shape, w.input.Values)
}

func (w *workspace) destroy(made []ort.Value) error {
	var errs error
	for _, v := range made {
		w.session.rt.live.Add(-1)
		errs = errors.Join(errs, v.Destroy())
	}
	return errs
}

func (w *workspace) close() error {
	var errs error
	for _, b := range w.batches {
		errs = errors.Join(errs, w.destroy(b.inputs), w.destroy(b.outputs))
	}
	w.pin.Unpin()
	return errs
}
