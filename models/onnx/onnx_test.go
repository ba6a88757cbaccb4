package onnx

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// half is the number that binary16 bits stand for.
func half(bits uint16) float64 {
	fraction, exponent := float64(bits&0x3ff), int(bits>>10&0x1f)
	v := math.Ldexp(1024+fraction, exponent-25)
	switch {
	case exponent == 0:
		v = math.Ldexp(fraction, -24)
	case exponent == 31 && fraction == 0:
		v = math.Inf(1)
	case exponent == 31:
		v = math.NaN()
	}
	if bits&0x8000 != 0 {
		v = -v
	}
	return v
}

// Every half precision number is itself, and what lies between two goes to the nearer, or to the even
// one from the middle.
func TestHalf(t *testing.T) {
	for bits := range uint16(0x7c01) {
		for _, sign := range []uint16{0, 0x8000} {
			if got := Half(half(sign | bits)); got != sign|bits {
				t.Fatalf("%#04x becomes %#04x", sign|bits, got)
			}
		}
	}
	for bits := range uint16(0x7bff) {
		low, high := half(bits), half(bits+1)
		middle := (low + high) / 2
		even := bits + bits&1
		for _, c := range []struct {
			v    float64
			want uint16
		}{{math.Nextafter(middle, low), bits}, {middle, even}, {math.Nextafter(middle, high), bits + 1}} {
			if got := Half(c.v); got != c.want {
				t.Fatalf("%g becomes %#04x, want %#04x", c.v, got, c.want)
			}
		}
	}
	for v, want := range map[float64]uint16{65519: 0x7bff, 65520: 0x7c00, 1e300: 0x7c00, math.Inf(-1): 0xfc00} {
		if got := Half(v); got != want {
			t.Errorf("%g becomes %#04x, want %#04x", v, got, want)
		}
	}
	if got := Half(math.NaN()); !math.IsNaN(half(got)) {
		t.Errorf("NaN becomes %#04x", got)
	}
}

// messages are the paths of field numbers, from ModelProto on, whose value is a message.
var messages = []string{"7", "7.1", "7.1.5", "7.5", "7.11", "7.12", "7.11.2", "7.12.2", "7.11.2.1", "7.12.2.1",
	"7.11.2.1.2", "7.12.2.1.2", "7.11.2.1.2.1", "7.12.2.1.2.1", "8"}

// fields lists what a file holds, one field a line, by path.
func fields(t *testing.T, path string, b []byte) []string {
	t.Helper()
	var list []string
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		b = b[n:]
		at := fmt.Sprint(number)
		if path != "" {
			at = path + "." + at
		}
		if kind == protowire.VarintType {
			v, n := protowire.ConsumeVarint(b)
			list, b = append(list, fmt.Sprintf("%s=%d", at, int64(v))), b[n:]
			continue
		}
		v, n := protowire.ConsumeBytes(b)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		b = b[n:]
		if slices.Contains(messages, at) {
			list = append(list, fields(t, at, v)...)
		} else {
			list = append(list, fmt.Sprintf("%s=%q", at, v))
		}
	}
	return list
}

func TestMarshal(t *testing.T) {
	m := Model{IRVersion: 8, Opset: 17, Producer: "p", Graph: Graph{
		Name: "g",
		Nodes: []Node{{Op: "Conv", Name: "c", Inputs: []string{"x", "w"}, Outputs: []string{"y"},
			Attributes: []Attribute{Int("group", 2), Ints("pads", -1, 1)}}},
		Initializers: []Tensor{NewFloat16("w", []int64{2, 1}, []float64{1, -2}), NewFloat32("b", nil, []float64{1}),
			NewInt64("k", []int64{1}, -1)},
		Inputs:  []Value{{Name: "x", Dims: []Dim{{Free: "n"}, {Size: 3}}}},
		Outputs: []Value{{Name: "y"}},
	}}
	want := []string{
		"1=8", `2="p"`,
		`7.1.1="x"`, `7.1.1="w"`, `7.1.2="y"`, `7.1.3="c"`, `7.1.4="Conv"`,
		`7.1.5.1="group"`, "7.1.5.3=2", "7.1.5.20=2",
		`7.1.5.1="pads"`, "7.1.5.8=-1", "7.1.5.8=1", "7.1.5.20=7",
		`7.2="g"`,
		"7.5.1=2", "7.5.1=1", "7.5.2=10", `7.5.8="w"`, `7.5.9="\x00<\x00\xc0"`,
		"7.5.2=1", `7.5.8="b"`, `7.5.9="\x00\x00\x80?"`,
		"7.5.1=1", "7.5.2=7", `7.5.8="k"`, `7.5.9="\xff\xff\xff\xff\xff\xff\xff\xff"`,
		`7.11.1="x"`, "7.11.2.1.1=1", `7.11.2.1.2.1.2="n"`, "7.11.2.1.2.1.1=3",
		`7.12.1="y"`, "7.12.2.1.1=1",
		"8.2=17",
	}
	if got := fields(t, "", m.Marshal()); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
