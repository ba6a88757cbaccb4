package onnx

import (
	"fmt"
	"slices"
)

// FreeBatch gives a graph that takes any number of pictures, of one that was exported for one: the first dimension of
// its inputs and outputs becomes free, a Reshape keeps that of what it reshapes, and channels of zeros that are
// joined to a tensor become padding, which asks for no number. A constant of another kind that states a number is not
// found here: run the result on several pictures and compare.
func (g *Graph) FreeBatch() (Graph, error) {
	out := *g
	out.Inputs, out.Outputs = slices.Clone(g.Inputs), slices.Clone(g.Outputs)
	for _, list := range [][]Value{out.Inputs, out.Outputs} {
		for i, v := range list {
			if len(v.Dims) == 0 || v.Dims[0].Size != 1 && v.Dims[0].Size != 0 {
				return Graph{}, fmt.Errorf("free the batch: %q has shape %v, want one picture first", v.Name, v.Dims)
			}
			list[i].Dims = append([]Dim{{Free: "n"}}, v.Dims[1:]...)
		}
	}
	f := &freer{tensors: g.tensors(), zeros: map[string][]int64{}}
	out.Nodes = make([]Node, 0, len(g.Nodes))
	for _, n := range g.Nodes {
		freed, err := f.node(n)
		if err != nil {
			return Graph{}, fmt.Errorf("free the batch: %s %s: %w", n.Op, n.Name, err)
		}
		out.Nodes = append(out.Nodes, freed)
	}
	out.Initializers = append(slices.Clone(g.Initializers), f.added...)
	out.prune()
	return out, nil
}

type freer struct {
	tensors map[string]Tensor
	zeros   map[string][]int64 // shapes of the tensors that are nothing but zeros
	added   []Tensor
}

func (f *freer) node(n Node) (Node, error) {
	switch {
	case n.Op == "Reshape" && len(n.Inputs) == 2:
		shape := f.tensors[n.Inputs[1]].int64s()
		if len(shape) == 0 { // it is computed
			return n, nil
		}
		if shape[0] != 1 {
			return n, fmt.Errorf("its shape is %v, want one picture first", shape)
		}
		shape[0] = 0 // as it comes
		n.Inputs = []string{n.Inputs[0], f.constant(n.Outputs[0]+".shape", shape)}
	case n.Op == "ConstantOfShape" && len(n.Inputs) == 1 && len(n.Attributes) == 0: // zeros, by default
		f.zeros[n.Outputs[0]] = f.tensors[n.Inputs[0]].int64s()
	case n.Op == "Concat" && len(n.Inputs) == 2:
		zeros := f.zeros[n.Inputs[1]]
		if len(zeros) != 4 || len(n.Attributes) != 1 || !slices.Equal(n.Attributes[0].ints, []int64{1}) {
			return n, nil
		}
		pads := f.constant(n.Outputs[0]+".pads", []int64{0, 0, 0, 0, 0, zeros[1], 0, 0})
		return Node{Op: "Pad", Name: n.Name, Inputs: []string{n.Inputs[0], pads}, Outputs: n.Outputs}, nil
	}
	return n, nil
}

func (f *freer) constant(name string, values []int64) string {
	f.added = append(f.added, NewInt64(name, []int64{int64(len(values))}, values...))
	return name
}
