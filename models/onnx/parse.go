package onnx

import (
	"encoding/binary"
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// Parse reads a model file, so that its graph can be rewritten. What this package has no name for is kept and written
// again as it was, except the shapes of the tensors between nodes: a runtime finds these itself, and a rewrite makes
// them wrong. Refused are files whose tensors lie in other files, and inputs and outputs that are no tensors.
func Parse(data []byte) (*Model, error) {
	m := &Model{}
	err := each(data, func(f field) error {
		switch f.number {
		case 1:
			m.IRVersion = int64(f.value)
		case 2:
			m.Producer = string(f.bytes)
		case 7:
			return m.Graph.parse(f.bytes)
		case 8:
			return m.parseOpset(f)
		default:
			m.rest = append(m.rest, f.raw...)
		}
		return nil
	})
	if err == nil && (m.Opset == 0 || len(m.Graph.Nodes) == 0) {
		err = errors.New("it has no graph or no operator set")
	}
	if err != nil {
		return nil, fmt.Errorf("read ONNX model: %w", err)
	}
	return m, nil
}

// field is one of a message's.
type field struct {
	number protowire.Number
	raw    []byte // all of it
	bytes  []byte // the value of one that has a length
	value  uint64 // the value of one that is a number
}

func (f field) text() string { return string(f.bytes) }

// each visits the fields of a message.
func each(message []byte, visit func(field) error) error {
	for len(message) > 0 {
		number, kind, start := protowire.ConsumeTag(message)
		if start < 0 {
			return protowire.ParseError(start)
		}
		length := protowire.ConsumeFieldValue(number, kind, message[start:])
		if length < 0 {
			return protowire.ParseError(length)
		}
		f := field{number: number, raw: message[:start+length]}
		switch kind {
		case protowire.VarintType:
			f.value, _ = protowire.ConsumeVarint(message[start:])
		case protowire.BytesType:
			f.bytes, _ = protowire.ConsumeBytes(message[start:])
		}
		if err := visit(f); err != nil {
			return err
		}
		message = message[start+length:]
	}
	return nil
}

// parseOpset reads OperatorSetIdProto; those of other domains are kept.
func (m *Model) parseOpset(f field) error {
	domain, version := "", int64(0)
	err := each(f.bytes, func(o field) error {
		switch o.number {
		case 1:
			domain = o.text()
		case 2:
			version = int64(o.value)
		}
		return nil
	})
	if domain == "" || domain == "ai.onnx" {
		m.Opset = version
	} else {
		m.rest = append(m.rest, f.raw...)
	}
	return err
}

const valueInfo = 13 // GraphProto.value_info: the shapes that are left out

func (g *Graph) parse(data []byte) error {
	return each(data, func(f field) (err error) {
		switch f.number {
		case 1:
			var n Node
			n, err = parseNode(f.bytes)
			g.Nodes = append(g.Nodes, n)
		case 2:
			g.Name = f.text()
		case 5:
			var t Tensor
			t, err = parseTensor(f.bytes)
			g.Initializers = append(g.Initializers, t)
		case 11:
			var v Value
			v, err = parseValue(f.bytes)
			g.Inputs = append(g.Inputs, v)
		case 12:
			var v Value
			v, err = parseValue(f.bytes)
			g.Outputs = append(g.Outputs, v)
		case valueInfo:
		default:
			g.rest = append(g.rest, f.raw...)
		}
		return err
	})
}

func parseNode(data []byte) (n Node, err error) {
	err = each(data, func(f field) error {
		switch f.number {
		case 1:
			n.Inputs = append(n.Inputs, f.text())
		case 2:
			n.Outputs = append(n.Outputs, f.text())
		case 3:
			n.Name = f.text()
		case 4:
			n.Op = f.text()
		case 5:
			a, err := parseAttribute(f.bytes)
			n.Attributes = append(n.Attributes, a)
			return err
		default:
			n.rest = append(n.rest, f.raw...)
		}
		return nil
	})
	return n, err
}

// parseAttribute understands integers; the others are kept as they are.
func parseAttribute(data []byte) (a Attribute, err error) {
	var kind uint64
	err = each(data, func(f field) error {
		switch f.number {
		case 1:
			a.name = f.text()
		case 3:
			a.ints = append(a.ints, int64(f.value))
		case 8:
			list, err := integers(f)
			a.ints = append(a.ints, list...)
			return err
		case 20:
			kind = f.value
		}
		return nil
	})
	a.list = kind == attributeInts
	if !a.list && (kind != attributeInt || len(a.ints) != 1) {
		a.ints, a.other = nil, append([]byte{}, data...) // an empty one too
	}
	return a, err
}

// integers reads one of a repeated field, or a packed list of them.
func integers(f field) (list []int64, err error) {
	if f.bytes == nil {
		return []int64{int64(f.value)}, nil
	}
	for b := f.bytes; len(b) > 0; {
		v, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return nil, protowire.ParseError(n)
		}
		list, b = append(list, int64(v)), b[n:]
	}
	return list, nil
}

// parseTensor reads TensorProto. Numbers that have fields of their own go where those of raw_data are.
func parseTensor(data []byte) (t Tensor, err error) {
	err = each(data, func(f field) error {
		switch f.number {
		case 1, 7: // dims; int64_data
			list, err := integers(f)
			if f.number == 1 {
				t.Dims = append(t.Dims, list...)
				return err
			}
			for _, v := range list {
				t.raw = binary.LittleEndian.AppendUint64(t.raw, uint64(v))
			}
			return err
		case 2:
			t.Type = ElementType(f.value)
		case 4: // float_data, packed
			if f.bytes == nil {
				return errors.New("a tensor's floats are not packed")
			}
			t.raw = append(t.raw, f.bytes...)
		case 8:
			t.Name = f.text()
		case 9:
			t.raw = f.bytes
		case 13, 14: // external_data, data_location
			if f.number == 13 || f.value != 0 {
				return errors.New("tensors lie in another file; store them in the model's own")
			}
		default:
			t.rest = append(t.rest, f.raw...)
		}
		return nil
	})
	if err != nil {
		return t, fmt.Errorf("tensor %.80q: %w", t.Name, err)
	}
	return t, nil
}

// parseValue reads ValueInfoProto.
func parseValue(data []byte) (v Value, err error) {
	known := false
	err = each(data, func(f field) error {
		switch f.number {
		case 1:
			v.Name = f.text()
		case 2: // TypeProto
			return each(f.bytes, func(t field) error {
				if t.number != 1 {
					return nil
				}
				known = true
				return each(t.bytes, v.parseType)
			})
		}
		return nil
	})
	if err == nil && !known {
		err = fmt.Errorf("%.80q is no tensor", v.Name)
	}
	return v, err
}

// parseType reads a field of TypeProto.Tensor.
func (v *Value) parseType(f field) error {
	switch f.number {
	case 1:
		v.Type = ElementType(f.value)
	case 2: // TensorShapeProto
		return each(f.bytes, func(s field) error {
			d := Dim{}
			err := each(s.bytes, func(o field) error {
				switch o.number {
				case 1:
					d.Size = int64(o.value)
				case 2:
					d.Free = o.text()
				}
				return nil
			})
			v.Dims = append(v.Dims, d)
			return err
		})
	}
	return nil
}
