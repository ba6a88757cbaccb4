package onnx

import "math"

// Widen gives the graph with its constants of half precision, which nodes cast to float32, as constants of float32.
// It computes the same.
func (g *Graph) Widen() Graph {
	stored := map[string]Tensor{}
	for _, t := range g.Initializers {
		if t.Type == Float16 {
			stored[t.Name] = t
		}
	}
	wide, used := *g, map[string]bool{}
	wide.Nodes, wide.Initializers = nil, nil
	for _, n := range g.Nodes {
		if n.Op == "Cast" && n.to() == Float32 {
			if t, ok := stored[n.Inputs[0]]; ok {
				wide.Initializers = append(wide.Initializers, t.widened(n.Outputs[0]))
				continue
			}
		}
		for _, name := range n.Inputs {
			used[name] = true
		}
		wide.Nodes = append(wide.Nodes, n)
	}
	for _, t := range g.Initializers {
		if t.Type != Float16 || used[t.Name] {
			wide.Initializers = append(wide.Initializers, t)
		}
	}
	return wide
}

// to is the type that a Cast gives.
func (n Node) to() ElementType {
	for _, a := range n.Attributes {
		if a.name == "to" && len(a.ints) == 1 {
			return ElementType(a.ints[0])
		}
	}
	return 0
}

func (t Tensor) widened(name string) Tensor {
	raw := make([]byte, 0, 2*len(t.raw))
	for i := 0; i+1 < len(t.raw); i += 2 {
		raw = append(raw, floatBytes(FromHalf(uint16(t.raw[i])|uint16(t.raw[i+1])<<8))...)
	}
	return Tensor{Name: name, Type: Float32, Dims: t.Dims, raw: raw}
}

// FromHalf is the value of a number in IEEE 754 half precision.
func FromHalf(h uint16) float32 {
	sign, exponent, fraction := uint32(h>>15)<<31, uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch {
	case exponent == 0x1f: // infinite, or no number
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	case exponent == 0: // below the least normal number
		v := float32(fraction) / (1 << 24)
		return math.Float32frombits(sign | math.Float32bits(v))
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}
