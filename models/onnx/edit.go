package onnx

import (
	"encoding/binary"
	"math"
	"slices"
)

// tensors are the graph's constants by name.
func (g *Graph) tensors() map[string]Tensor {
	all := make(map[string]Tensor, len(g.Initializers))
	for _, t := range g.Initializers {
		all[t.Name] = t
	}
	return all
}

// prune leaves out the nodes and constants that nothing depends on any more. Nodes stand in the order of their use.
func (g *Graph) prune() {
	used := map[string]bool{}
	for _, v := range g.Outputs {
		used[v.Name] = true
	}
	kept := make([]Node, 0, len(g.Nodes))
	for _, n := range slices.Backward(g.Nodes) {
		if !slices.ContainsFunc(n.Outputs, func(name string) bool { return used[name] }) {
			continue
		}
		kept = append(kept, n)
		for _, name := range n.Inputs {
			used[name] = true
		}
	}
	slices.Reverse(kept)
	g.Nodes = kept
	g.Initializers = slices.DeleteFunc(slices.Clone(g.Initializers), func(t Tensor) bool { return !used[t.Name] })
}

// holds reports whether a node is one of the operators, and returns its name.
func (g *Graph) holds(operators ...string) (string, bool) {
	for _, n := range g.Nodes {
		if slices.Contains(operators, n.Op) {
			return n.Op, true
		}
	}
	return "", false
}

// int64s are the values of a tensor of them.
func (t Tensor) int64s() (values []int64) {
	for raw := t.raw; len(raw) >= 8; raw = raw[8:] {
		values = append(values, int64(binary.LittleEndian.Uint64(raw)))
	}
	return values
}

// halved rounds float32 values to half precision. most is the largest magnitude among them.
func (t Tensor) halved(name string) (half Tensor, most float64) {
	raw := make([]byte, 0, len(t.raw)/2)
	for i := range len(t.raw) / 4 {
		v := float64(floatAt(t.raw, i))
		most = math.Max(most, math.Abs(v))
		raw = binary.LittleEndian.AppendUint16(raw, Half(v))
	}
	return Tensor{Name: name, Type: Float16, Dims: t.Dims, raw: raw}, most
}
