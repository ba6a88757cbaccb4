package onnx

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// small is a graph with something of each kind.
func small() *Model {
	return &Model{IRVersion: 8, Opset: 17, Producer: "p", Graph: Graph{
		Name: "g",
		Nodes: []Node{
			{Op: "Conv", Name: "c", Inputs: []string{"x", "w", "b"}, Outputs: []string{"y"},
				Attributes: []Attribute{Int("group", 1), Ints("pads", 0, 1)}},
			{Op: "Relu", Name: "r", Inputs: []string{"y"}, Outputs: []string{"z"}},
		},
		Initializers: []Tensor{NewFloat16("w", []int64{1, 3, 1, 1}, []float64{1, 2, 3}),
			NewFloat32("b", []int64{1}, []float64{-1}), NewInt64("k", []int64{1}, -1)},
		Inputs:  []Value{{Name: "x", Dims: []Dim{{Size: 1}, {Size: 3}, {Free: "h"}, {Free: "w"}}}},
		Outputs: []Value{{Name: "z", Dims: []Dim{{Size: 1}, {Size: 1}, {Free: "h"}, {Free: "w"}}}},
	}}
}

func TestParseKeepsAll(t *testing.T) {
	data := small().Marshal()
	data = appendMessage(data, 8, appendInt(appendString(nil, 1, "com.example"), 2, 3)) // operators of another domain
	data = appendString(data, 6, "a comment")
	m, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if m.Opset != 17 || len(m.Graph.Nodes) != 2 || m.Graph.Inputs[0].Type != Float32 ||
		m.Graph.Inputs[0].Dims[2].Free != "h" {
		t.Errorf("%+v", m)
	}
	if again := m.Marshal(); !bytes.Equal(again, data) {
		t.Errorf("it became\n%q, was\n%q", fields(t, "", again), fields(t, "", data))
	}
}

// What has a field of its own instead of raw_data goes there, and attributes that are no integers stay as they are.
func TestParseOtherForms(t *testing.T) {
	floats := appendMessage(nil, 4, []byte{0, 0, 128, 63, 0, 0, 0, 64})
	floats = appendString(appendInt(floats, 2, int64(Float32)), 8, "f")
	packed := appendMessage(nil, 7, protowire.AppendVarint(protowire.AppendVarint(nil, 5), 6))
	packed = appendString(appendInt(packed, 2, int64(Int64)), 8, "i")
	text := appendInt(appendMessage(appendString(nil, 1, "mode"), 4, []byte("linear")), 20, 3)
	node := appendMessage(appendString(nil, 4, "Resize"), 5, text)
	graph := appendMessage(appendMessage(appendMessage(nil, 1, node), 5, floats), 5, packed)
	graph = appendMessage(graph, valueInfo, appendString(nil, 1, "in between"))
	data := appendMessage(appendMessage(nil, 7, graph), 8, appendInt(nil, 2, 11))
	m, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if v := m.Graph.Initializers[0]; floatAt(v.raw, 0) != 1 || floatAt(v.raw, 1) != 2 {
		t.Error(v)
	}
	if v := m.Graph.Initializers[1].int64s(); !slices.Equal(v, []int64{5, 6}) {
		t.Error(v)
	}
	out := strings.Join(fields(t, "", m.Marshal()), "\n")
	if !strings.Contains(out, `7.1.5.4="linear"`) || strings.Contains(out, "in between") {
		t.Error(out)
	}
}

func TestParseRefuses(t *testing.T) {
	graph := func(t []byte) []byte { return appendMessage(nil, 7, t) }
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"nothing":     {nil, "no graph"},
		"no protobuf": {[]byte("PK\x03\x04 an archive"), "read ONNX model"},
		"cut":         {small().Marshal()[:60], "read ONNX model"},
		"other file": {graph(appendMessage(nil, 5, appendMessage(appendString(nil, 8, "w"), 13, nil))),
			`"w": tensors lie in another file`},
		"a sequence": {graph(appendMessage(nil, 11, appendString(nil, 1, "s"))), `"s" is no tensor`},
	} {
		if _, err := Parse(c.data); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// FuzzParse: a model that somebody adds may hold anything; what is read can be rewritten, or that is refused.
func FuzzParse(f *testing.F) {
	f.Add(small().Marshal())
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Parse(data)
		if err != nil {
			return
		}
		if _, err := Parse(m.Marshal()); err != nil {
			t.Fatal(err)
		}
		_, _ = m.Graph.Halve(func(n Node) bool { return n.Op == "Conv" })
		_, _ = m.Graph.FreeBatch()
		_, _ = m.Graph.TakeBytes(1, false, [3]float64{}, [3]float64{})
	})
}

func ops(g Graph) (list []string) {
	for _, n := range g.Nodes {
		list = append(list, n.Op)
	}
	return list
}

func TestHalve(t *testing.T) {
	m := small()
	got, err := m.Graph.Halve(func(n Node) bool { return n.Op == "Conv" })
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"Cast", "Conv", "Cast", "Relu"}; !slices.Equal(ops(got), want) {
		t.Errorf("%q, want %q", ops(got), want)
	}
	conv := got.Nodes[1]
	// w is stored in half precision already
	if want := []string{"x.f16", "w", "b.f16"}; !slices.Equal(conv.Inputs, want) {
		t.Errorf("the convolution takes %q, want %q", conv.Inputs, want)
	}
	if len(got.Initializers) != 2 { // not b in float32, nor k, which nothing uses
		t.Errorf("%d constants", len(got.Initializers))
	}
	m.Graph.Initializers[1] = NewFloat32("b", []int64{1}, []float64{7e4})
	if _, err := m.Graph.Halve(func(Node) bool { return true }); err == nil ||
		!strings.Contains(err.Error(), "b holds 70000, beyond ±65504") {
		t.Error(err)
	}
	m.Graph.Nodes[1].Op = "Loop"
	if _, err := m.Graph.Halve(func(Node) bool { return true }); err == nil ||
		!strings.Contains(err.Error(), "Loop") {
		t.Error(err)
	}
}

func TestTakeBytesRefuses(t *testing.T) {
	m := small()
	if _, err := m.Graph.TakeBytes(2, false, [3]float64{}, [3]float64{}); err == nil {
		t.Error("two channels were taken")
	}
	if _, err := m.Graph.TakeBytes(3, true, [3]float64{}, [3]float64{}); err == nil ||
		!strings.Contains(err.Error(), "3 channels do not fit") {
		t.Error(err)
	}
	m.Graph.Inputs = append(m.Graph.Inputs, m.Graph.Inputs[0])
	if _, err := m.Graph.TakeBytes(3, false, [3]float64{}, [3]float64{}); err == nil ||
		!strings.Contains(err.Error(), "one input") {
		t.Error(err)
	}
}

func TestFreeBatchRefuses(t *testing.T) {
	m := small()
	m.Graph.Nodes = append(m.Graph.Nodes,
		Node{Op: "Reshape", Name: "s", Inputs: []string{"z", "k"}, Outputs: []string{"v"}})
	if _, err := m.Graph.FreeBatch(); err == nil || !strings.Contains(err.Error(), "Reshape s: its shape is [-1]") {
		t.Error(err)
	}
	m.Graph.Inputs[0].Dims[0].Size = 5
	if _, err := m.Graph.FreeBatch(); err == nil || !strings.Contains(err.Error(), `"x" has shape`) {
		t.Error(err)
	}
}
