package onnx

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// Range is what the values of a tensor lie in.
type Range struct{ Low, High float32 }

// step gives the scale and the zero point with which the range and zero are stored as 0 to most.
func (r Range) step(most int) (scale float32, zero uint8) {
	low, high := min(r.Low, 0), max(r.High, 0)
	scale = (high - low) / float32(most)
	if scale == 0 {
		return 1, 0
	}
	return scale, uint8(math.Round(float64(-low / scale)))
}

// largestWeight is what the largest weight of a channel is stored as.
const largestWeight = math.MaxInt8

// What the high end of a tensor's range is stored as. Processors without VNNI add the products of two neighbours in
// 16 bits, and cut off what is beyond 32,767. With ValuesSafe nothing in the range is: 2 · 129 · 127 is less. Beyond
// its range a value is stored with up to 255; should two such meet the largest weights, the sum that is cut off is
// still at least that of values cut off at the range's end, which is what ValuesFull does with them, for processors
// that add in 32 bits.
const (
	ValuesSafe = 129
	ValuesFull = math.MaxUint8
)

// Quantise gives a graph that stores the tensors in ranges in 8 bits and convolves them with weights of 8
// bits, one scale an output channel, in integers: the runtime joins what stands between a
// DequantizeLinear and a QuantizeLinear. All else stays in float32. Convolutions must have float32
// weights and biases of their own. values is ValuesSafe or ValuesFull.
func (g *Graph) Quantise(ranges map[string]Range, values int) (Graph, error) {
	q := &quantiser{ranges: ranges, values: values, scales: map[string]float32{}, tensors: map[string]Tensor{},
		graph: Graph{Name: g.Name, Inputs: g.Inputs, Outputs: g.Outputs}}
	for _, t := range g.Initializers {
		q.tensors[t.Name] = t
	}
	for _, v := range g.Inputs {
		q.store(v.Name)
	}
	for _, n := range g.Nodes {
		n.Inputs = slices.Clone(n.Inputs)
		if scale, ok := q.scales[n.Inputs[0]]; ok && n.Op == "Conv" {
			if err := q.convolve(&n, scale); err != nil {
				return Graph{}, fmt.Errorf("quantise %s: %w", n.Name, err)
			}
		}
		for i, name := range n.Inputs {
			if _, ok := q.scales[name]; ok {
				n.Inputs[i] = wide(name)
			}
		}
		q.graph.Nodes = append(q.graph.Nodes, n)
		for _, name := range n.Outputs {
			q.store(name)
		}
	}
	for _, t := range g.Initializers {
		if _, ok := q.tensors[t.Name]; ok {
			q.graph.Initializers = append(q.graph.Initializers, t)
		}
	}
	return q.graph, nil
}

type quantiser struct {
	ranges  map[string]Range
	scales  map[string]float32 // of the tensors stored so far
	tensors map[string]Tensor  // the old graph's that stay
	values  int                // what the high end of a range is stored as
	graph   Graph
}

// wide names what a stored tensor is in float32.
func wide(name string) string { return name + ".wide" }

func (q *quantiser) node(op, name string, inputs ...string) {
	q.graph.Nodes = append(q.graph.Nodes, Node{Op: op, Name: name, Inputs: inputs, Outputs: []string{name},
		Attributes: []Attribute{Int("axis", 0)}})
}

func (q *quantiser) initial(name string, kind ElementType, dims []int64, raw []byte) string {
	q.graph.Initializers = append(q.graph.Initializers, Tensor{Name: name, Type: kind, Dims: dims, raw: raw})
	return name
}

// store puts a tensor that has a range into 8 bits and back.
func (q *quantiser) store(name string) {
	r, ok := q.ranges[name]
	if !ok {
		return
	}
	scale, zero := r.step(q.values)
	q.scales[name] = scale
	s := q.initial(name+".scale", Float32, nil, floatBytes(scale))
	z := q.initial(name+".zero", Uint8, nil, []byte{zero})
	q.node("QuantizeLinear", name+".stored", name, s, z)
	q.node("DequantizeLinear", wide(name), name+".stored", s, z)
}

// convolve stores the weights of a convolution whose input has that scale, and its bias in the scale of
// the sums.
func (q *quantiser) convolve(n *Node, input float32) error {
	if len(n.Inputs) != 3 {
		return fmt.Errorf("it has %d inputs, want a bias too", len(n.Inputs))
	}
	weight, bias := q.tensors[n.Inputs[1]], q.tensors[n.Inputs[2]]
	if weight.Type != Float32 || bias.Type != Float32 {
		return fmt.Errorf("its weights %s are no float32 constants", n.Inputs[1])
	}
	delete(q.tensors, weight.Name)
	delete(q.tensors, bias.Name)
	channels := len(bias.raw) / 4
	row := len(weight.raw) / 4 / channels
	var small, sums, scales, sumScales []byte
	for c := range channels {
		values := weight.raw[c*row*4 : (c+1)*row*4]
		most := float32(0)
		for i := range row {
			most = max(most, float32(math.Abs(float64(floatAt(values, i)))))
		}
		scale := max(most/largestWeight, math.SmallestNonzeroFloat32*(1<<30)) // none is zero
		for i := range row {
			small = append(small, byte(int8(math.RoundToEven(float64(floatAt(values, i)/scale)))))
		}
		sum := math.RoundToEven(float64(floatAt(bias.raw, c)) / (float64(input) * float64(scale)))
		sum = max(math.MinInt32, min(sum, math.MaxInt32))
		sums = binary.LittleEndian.AppendUint32(sums, uint32(int32(sum)))
		scales = append(scales, floatBytes(scale)...)
		sumScales = append(sumScales, floatBytes(input*scale)...)
	}
	dims := []int64{int64(channels)}
	n.Inputs[1] = q.constant(weight.Name, Int8, weight.Dims, small, scales, make([]byte, channels), dims)
	n.Inputs[2] = q.constant(bias.Name, Int32, bias.Dims, sums, sumScales, make([]byte, 4*channels), dims)
	return nil
}

// constant stores integers with a scale for each of the first axis.
func (q *quantiser) constant(name string, kind ElementType, dims []int64, raw, scales, zeros []byte,
	channels []int64) string {
	q.node("DequantizeLinear", wide(name),
		q.initial(name+".stored", kind, dims, raw),
		q.initial(name+".scale", Float32, channels, scales),
		q.initial(name+".zero", kind, channels, zeros))
	return wide(name)
}

func floatAt(raw []byte, i int) float32 {
	return math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
}

func floatBytes(v float32) []byte {
	return binary.LittleEndian.AppendUint32(nil, math.Float32bits(v))
}
