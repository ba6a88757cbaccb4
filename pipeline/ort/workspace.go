package ort

import (
	"errors"
	"fmt"
	"runtime"

	ort "github.com/yalue/onnxruntime_go"
)

// workspace is the memory of one call of a session: its input and outputs, and for each size of batch
// that was met the tensors that lie over them. One goroutine at a time uses it.
type workspace struct {
	session *session
	pin     runtime.Pinner // C keeps pointers to the memory for as long as its tensors live
	shapes  [][]int64      // of one picture: the input's, then the outputs'
	memory  [][]float32    // likewise
	batches []batch        // by number of pictures − 1; empty until it is needed
}

type batch struct{ inputs, outputs []ort.Value }

// newWorkspace makes memory for batches of up to most pictures. Shapes are without the batch axis.
func newWorkspace(s *session, most int, input []int64, outputs ...[]int64) *workspace {
	w := &workspace{session: s, shapes: append([][]int64{input}, outputs...), batches: make([]batch, most)}
	for _, shape := range w.shapes {
		n := most
		for _, d := range shape {
			n *= int(d)
		}
		m := make([]float32, n)
		w.pin.Pin(&m[0])
		w.memory = append(w.memory, m)
	}
	return w
}

func (w *workspace) input() []float32 { return w.memory[0] }

func (w *workspace) output(i int) []float32 { return w.memory[1+i] }

// run computes the outputs of the first n pictures of the input.
func (w *workspace) run(n int) error {
	b := &w.batches[n-1]
	if b.inputs == nil {
		if err := w.lay(b, int64(n)); err != nil {
			return err
		}
	}
	if err := w.session.net.Run(b.inputs, b.outputs); err != nil {
		return fmt.Errorf("run network: %w", err)
	}
	return nil
}

// lay makes the tensors for n pictures.
func (w *workspace) lay(b *batch, n int64) error {
	var values []ort.Value
	for i, shape := range w.shapes {
		t, err := ort.NewTensor(append(ort.Shape{n}, shape...), w.memory[i])
		if err != nil {
			return errors.Join(fmt.Errorf("make a tensor for %d pictures of shape %v: %w", n, shape, err), w.destroy(values))
		}
		w.session.rt.live.Add(1)
		values = append(values, t)
	}
	b.inputs, b.outputs = values[:1], values[1:]
	return nil
}

func (w *workspace) destroy(values []ort.Value) error {
	var errs error
	for _, v := range values {
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
