package onnx

import (
	"fmt"
	"slices"
)

// LargestHalf is the largest finite number of half precision.
const LargestHalf = 65504

// Halve gives a graph in which the nodes that narrow picks compute in half precision, with weights in it. All others,
// the inputs and the outputs stay in float32, and tensors that cross are cast, each once. Nodes that are picked must
// take and give floats, apart from constants of other types. It fails where a weight passes ±65504.
func (g *Graph) Halve(narrow func(Node) bool) (Graph, error) {
	if op, found := g.holds("If", "Loop", "Scan", "QuantizeLinear"); found {
		return Graph{}, fmt.Errorf("compute in half precision: the graph has the operator %s", op)
	}
	h := &halver{from: g.tensors(), half: map[string]string{}, full: map[string]bool{}, stored: map[string]string{}}
	h.graph = *g
	h.graph.Nodes, h.graph.Initializers = nil, slices.Clone(g.Initializers)
	for _, v := range g.Inputs {
		h.full[v.Name] = true
	}
	for _, n := range g.Nodes {
		if err := h.node(n, narrow(n)); err != nil {
			return Graph{}, fmt.Errorf("compute %s in half precision: %w", n.Name, err)
		}
	}
	for _, v := range g.Outputs {
		h.widen(v.Name)
	}
	h.graph.prune()
	return h.graph, nil
}

type halver struct {
	from   map[string]Tensor // the constants of the old graph
	half   map[string]string // what is there in half precision, and under which name
	full   map[string]bool   // what is there as it was
	stored map[string]string // names of float32 tensors that are a constant in half precision, cast, by its name
	graph  Graph
}

func (h *halver) node(n Node, narrow bool) (err error) {
	if n.Op == "Cast" && len(n.Inputs) == 1 && h.from[n.Inputs[0]].Type == Float16 {
		h.stored[n.Outputs[0]] = n.Inputs[0]
	}
	n.Inputs, n.Outputs = slices.Clone(n.Inputs), slices.Clone(n.Outputs)
	for i, name := range n.Inputs {
		if !narrow {
			h.widen(name)
		} else if n.Inputs[i], err = h.narrow(name); err != nil {
			return err
		}
	}
	for i, name := range n.Outputs {
		if !narrow {
			h.full[name] = true
			continue
		}
		n.Outputs[i] = name + ".f16"
		h.half[name] = n.Outputs[i]
	}
	h.graph.Nodes = append(h.graph.Nodes, n)
	return nil
}

// narrow names what a tensor is in half precision. Constants that are no floats stay.
func (h *halver) narrow(name string) (string, error) {
	if half, ok := h.half[name]; ok {
		return half, nil
	}
	if half, ok := h.stored[name]; ok {
		return half, nil
	}
	half := name + ".f16"
	if t, ok := h.from[name]; ok {
		if t.Type != Float32 {
			return name, nil
		}
		rounded, most := t.halved(half)
		if !(most <= LargestHalf) {
			return "", fmt.Errorf("%s holds %g, beyond ±%d", name, most, LargestHalf)
		}
		h.graph.Initializers = append(h.graph.Initializers, rounded)
	} else {
		h.cast(name, half, Float16)
	}
	h.half[name] = half
	return half, nil
}

// widen sees to it that a tensor is there in float32, under its own name.
func (h *halver) widen(name string) {
	if half, ok := h.half[name]; ok && !h.full[name] && h.from[name].Name == "" {
		h.cast(half, name, Float32)
		h.full[name] = true
	}
}

func (h *halver) cast(from, to string, kind ElementType) {
	h.graph.Nodes = append(h.graph.Nodes,
		Node{Op: "Cast", Name: to + ".cast", Inputs: []string{from}, Outputs: []string{to},
			Attributes: []Attribute{Int("to", int64(kind))}})
}
