package ort

import (
	"errors"
	"fmt"
	"path/filepath"

	ort "github.com/yalue/onnxruntime_go"
)

// Network runs a file without a manifest entry, to check or to measure it. One goroutine at a time may use it.
type Network struct {
	session *session
	outputs []string
}

// Array is a float32 tensor, last axis fastest.
type Array struct {
	Shape []int64
	Data  []float32
}

// NewNetwork loads the file at path. outputs names the outputs to compute. threads (1 or more) work on one call.
func (r *Runtime) NewNetwork(path, input string, outputs []string, threads int) (*Network, error) {
	s, err := r.newSession(plan{name: filepath.Base(path), path: path, input: input, outputs: outputs,
		threads: threads})
	if err != nil {
		return nil, err
	}
	return &Network{s, outputs}, nil
}

// Run computes the outputs, in the order of NewNetwork. The caller owns them.
func (n *Network) Run(x Array) (arrays []Array, err error) {
	input, err := ort.NewTensor(ort.Shape(x.Shape), x.Data)
	if err != nil {
		return nil, fmt.Errorf("run network: %w", err)
	}
	defer func() { err = errors.Join(err, input.Destroy()) }()
	values := make([]ort.Value, len(n.outputs)) // nil values: the runtime allocates them
	if err := n.session.run([]ort.Value{input}, values); err != nil {
		return nil, fmt.Errorf("run network: %w", err)
	}
	for i, v := range values {
		if t, ok := v.(*ort.Tensor[float32]); ok {
			arrays = append(arrays, Array{t.GetShape(), append([]float32(nil), t.GetData()...)})
		} else {
			err = errors.Join(err, fmt.Errorf("run network: output %s is not a float32 tensor", n.outputs[i]))
		}
		err = errors.Join(err, v.Destroy())
	}
	return arrays, err
}

// Close frees the network.
func (n *Network) Close() error { return n.session.close() }
