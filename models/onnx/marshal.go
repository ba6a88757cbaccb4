package onnx

import (
	"bytes"
	"io"

	"google.golang.org/protobuf/encoding/protowire"
)

// AttributeProto.AttributeType.
const (
	attributeInt  = 2
	attributeInts = 7
)

// Marshal encodes the model. Equal models give equal bytes.
func (m *Model) Marshal() []byte { return bytes.Join(m.encode(), nil) }

// WriteTo writes what Marshal gives, without a copy of the weights.
func (m *Model) WriteTo(w io.Writer) (n int64, err error) {
	for _, piece := range m.encode() {
		written, err := w.Write(piece)
		if n += int64(written); err != nil {
			return n, err
		}
	}
	return n, nil
}

// encode gives the pieces that make up the encoded model; the tensors' values are pieces of their own.
func (m *Model) encode() [][]byte {
	graph := m.Graph.encode()
	size := 0
	for _, piece := range graph {
		size += len(piece)
	}
	var opset []byte // OperatorSetIdProto; without a domain it is the default one
	opset = appendInt(opset, 2, m.Opset)

	var b []byte
	b = appendInt(b, 1, m.IRVersion)
	b = appendString(b, 2, m.Producer)
	b = appendLength(b, 7, size)
	return append(append([][]byte{b}, graph...), append(appendMessage(nil, 8, opset), m.rest...))
}

func (g *Graph) encode() (pieces [][]byte) {
	var b []byte
	for i := range g.Nodes {
		b = appendMessage(b, 1, g.Nodes[i].marshal())
	}
	b = appendString(b, 2, g.Name)
	for i := range g.Initializers {
		t := &g.Initializers[i]
		head := t.marshal()
		b = append(appendLength(b, 5, len(head)+len(t.raw)), head...)
		pieces = append(pieces, b, t.raw)
		b = nil
	}
	for _, v := range g.Inputs {
		b = appendMessage(b, 11, v.marshal())
	}
	for _, v := range g.Outputs {
		b = appendMessage(b, 12, v.marshal())
	}
	return append(pieces, append(b, g.rest...))
}

func (n *Node) marshal() []byte {
	var b []byte
	for _, name := range n.Inputs {
		b = appendString(b, 1, name)
	}
	for _, name := range n.Outputs {
		b = appendString(b, 2, name)
	}
	b = appendString(b, 3, n.Name)
	b = appendString(b, 4, n.Op)
	for _, a := range n.Attributes {
		b = appendMessage(b, 5, a.marshal())
	}
	return append(b, n.rest...)
}

func (a Attribute) marshal() []byte {
	if a.other != nil {
		return a.other
	}
	b := appendString(nil, 1, a.name)
	if !a.list {
		b = appendInt(b, 3, a.ints[0])
		return appendInt(b, 20, attributeInt)
	}
	for _, v := range a.ints {
		b = appendInt(b, 8, v)
	}
	return appendInt(b, 20, attributeInts)
}

// marshal encodes a tensor up to its raw values, which follow.
func (t *Tensor) marshal() []byte {
	var b []byte
	for _, d := range t.Dims {
		b = appendInt(b, 1, d)
	}
	b = appendInt(b, 2, int64(t.Type))
	b = append(appendString(b, 8, t.Name), t.rest...)
	if len(t.raw) == 0 { // its values are in the rest
		return b
	}
	return appendLength(b, 9, len(t.raw))
}

func (v Value) marshal() []byte {
	var shape []byte // TensorShapeProto
	for _, d := range v.Dims {
		var dim []byte
		if d.Free != "" {
			dim = appendString(dim, 2, d.Free)
		} else if d.Size != 0 {
			dim = appendInt(dim, 1, d.Size)
		}
		shape = appendMessage(shape, 1, dim)
	}
	var tensor []byte // TypeProto.Tensor
	tensor = appendInt(tensor, 1, int64(max(v.Type, Float32)))
	if v.Dims != nil {
		tensor = appendMessage(tensor, 2, shape)
	}

	b := appendString(nil, 1, v.Name)
	return appendMessage(b, 2, appendMessage(nil, 1, tensor)) // TypeProto.tensor_type
}

func appendInt(b []byte, field protowire.Number, v int64) []byte {
	b = protowire.AppendTag(b, field, protowire.VarintType)
	return protowire.AppendVarint(b, uint64(v))
}

func appendString(b []byte, field protowire.Number, s string) []byte {
	b = protowire.AppendTag(b, field, protowire.BytesType)
	return protowire.AppendString(b, s)
}

// appendLength begins a field of that many bytes.
func appendLength(b []byte, field protowire.Number, n int) []byte {
	b = protowire.AppendTag(b, field, protowire.BytesType)
	return protowire.AppendVarint(b, uint64(n))
}

func appendMessage(b []byte, field protowire.Number, message []byte) []byte {
	b = protowire.AppendTag(b, field, protowire.BytesType)
	return protowire.AppendBytes(b, message)
}
