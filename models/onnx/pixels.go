package onnx

import "fmt"

// TakeBytes gives a graph whose input, under the old name, is the picture's bytes, [n,h,w,channels], instead of the
// normalised floats that the old one has in three planes or one ([n,3,h,w], or [n,h,w,3] with nhwc): a byte v becomes
// v·scale + offset, a plane each. With one channel all planes have its values. So a quarter of the memory of floats
// is moved to where the network runs, or a twelfth.
func (g *Graph) TakeBytes(channels int64, nhwc bool, scale, offset [3]float64) (Graph, error) {
	if len(g.Inputs) != 1 || len(g.Inputs[0].Dims) != 4 || max(g.Inputs[0].Type, Float32) != Float32 {
		return Graph{}, fmt.Errorf("take bytes: the graph must have one input, of 4 dimensions in float32")
	}
	in := g.Inputs[0]
	d := in.Dims
	rows, columns, planes := d[2], d[3], d[1].Size
	across := []int64{1, planes, 1, 1}
	if nhwc {
		rows, columns, planes = d[1], d[2], d[3].Size
		across = []int64{1, 1, 1, planes}
	}
	if planes != 1 && planes != 3 || channels != 1 && channels != planes {
		return Graph{}, fmt.Errorf("take bytes: %d channels do not fit an input of shape %v", channels, d)
	}
	name := func(step string) string { return in.Name + "." + step }
	node := func(op, out string, inputs []string, a ...Attribute) Node {
		return Node{Op: op, Name: out, Inputs: inputs, Outputs: []string{out}, Attributes: a}
	}
	from, front := in.Name, []Node(nil)
	if !nhwc { // while it is bytes, which are fewer to move
		front = append(front, node("Transpose", name("planes"), []string{from}, Ints("perm", 0, 3, 1, 2)))
		from = name("planes")
	}
	front = append(front,
		node("Cast", name("floats"), []string{from}, Int("to", int64(Float32))),
		node("Mul", name("scaled"), []string{name("floats"), name("scale")}),
		node("Add", name("normalised"), []string{name("scaled"), name("offset")}))
	out := *g
	out.Inputs = []Value{{Name: in.Name, Type: Uint8, Dims: []Dim{d[0], rows, columns, {Size: channels}}}}
	out.Nodes = append(front, renamed(g.Nodes, in.Name, name("normalised"))...)
	out.Initializers = append([]Tensor{NewFloat32(name("scale"), across, scale[:planes]),
		NewFloat32(name("offset"), across, offset[:planes])}, g.Initializers...)
	return out, nil
}

// renamed has nodes take another tensor instead of one.
func renamed(nodes []Node, old, now string) []Node {
	list := make([]Node, len(nodes))
	for i, n := range nodes {
		inputs := make([]string, len(n.Inputs))
		for k, name := range n.Inputs {
			if inputs[k] = name; name == old {
				inputs[k] = now
			}
		}
		n.Inputs = inputs
		list[i] = n
	}
	return list
}
