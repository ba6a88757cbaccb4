// Package onnx writes ONNX model files: just the messages that an inference graph of tensors needs. It reads them too,
// to rewrite their graphs: for half precision, for pictures of bytes, for any number of pictures at once.
// Field numbers are those of onnx.proto, IR version 8 (github.com/onnx/onnx/blob/v1.13.0/onnx/onnx.proto).
package onnx

import (
	"encoding/binary"
	"math"
)

// ElementType is TensorProto.DataType.
type ElementType int32

// The element types that are written here.
const (
	Float32 ElementType = 1
	Uint8   ElementType = 2
	Int8    ElementType = 3
	Int32   ElementType = 6
	Int64   ElementType = 7
	Float16 ElementType = 10
)

// Model is ModelProto.
type Model struct {
	IRVersion int64
	Opset     int64 // of the default operator set
	Producer  string
	Graph     Graph

	rest []byte // fields that were read and have no name here
}

// Graph is GraphProto. Nodes stand in an order in which each one's inputs are known.
type Graph struct {
	Name         string
	Nodes        []Node
	Initializers []Tensor
	Inputs       []Value
	Outputs      []Value

	rest []byte
}

// Node is NodeProto: one operator.
type Node struct {
	Op         string
	Name       string
	Inputs     []string
	Outputs    []string
	Attributes []Attribute

	rest []byte
}

// Attribute is AttributeProto holding either one integer or a list of them, or what was read from a file.
type Attribute struct {
	name  string
	list  bool
	ints  []int64
	other []byte // instead: all of the message
}

// Int is an attribute of one integer.
func Int(name string, v int64) Attribute { return Attribute{name: name, ints: []int64{v}} }

// Ints is an attribute that is a list of integers.
func Ints(name string, v ...int64) Attribute { return Attribute{name: name, list: true, ints: v} }

// Value is ValueInfoProto: a tensor that enters or leaves the graph.
type Value struct {
	Name string
	Dims []Dim       // nil is any shape
	Type ElementType // zero is Float32
}

// Dim is a fixed size, or a free one when it has a name or the size is zero.
type Dim struct {
	Size int64
	Free string
}

// Tensor is TensorProto with its values in raw_data: little endian, last axis fastest.
type Tensor struct {
	Name string
	Type ElementType
	Dims []int64
	raw  []byte
	rest []byte
}

// NewFloat32 rounds values to float32.
func NewFloat32(name string, dims []int64, values []float64) Tensor {
	raw := make([]byte, 0, 4*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(v)))
	}
	return Tensor{Name: name, Type: Float32, Dims: dims, raw: raw}
}

// NewFloat16 rounds values to IEEE 754 half precision. Values beyond ±65504 become infinite.
func NewFloat16(name string, dims []int64, values []float64) Tensor {
	raw := make([]byte, 0, 2*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint16(raw, Half(v))
	}
	return Tensor{Name: name, Type: Float16, Dims: dims, raw: raw}
}

// NewInt64 is a list of integers, or a single one without a dimension when dims is empty.
func NewInt64(name string, dims []int64, values ...int64) Tensor {
	raw := make([]byte, 0, 8*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
	}
	return Tensor{Name: name, Type: Int64, Dims: dims, raw: raw}
}
