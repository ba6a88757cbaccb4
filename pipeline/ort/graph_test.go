package ort

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"mindflow/models/checkpoint"
	"mindflow/models/dan"
)

// random returns a random checkpoint of a DAN, whose activations neither vanish nor explode.
func random(heads, classes int) map[string]checkpoint.Tensor {
	noise := rand.New(rand.NewPCG(20, 26))
	p := map[string]checkpoint.Tensor{}
	fill := func(name string, base, spread float64, shape ...int) {
		n := 1
		for _, d := range shape {
			n *= d
		}
		data := make([]float32, n)
		for i := range data {
			data[i] = float32(base + spread*noise.NormFloat64())
		}
		p[name] = checkpoint.Tensor{Shape: shape, Data: data}
	}
	weight := func(name string, shape ...int) {
		inputs := 1
		for _, d := range shape[1:] {
			inputs *= d
		}
		fill(name+".weight", 0, 1/math.Sqrt(float64(inputs)), shape...)
	}
	biased := func(name string, shape ...int) {
		weight(name, shape...)
		fill(name+".bias", 0, 0.3, shape[0])
	}
	norm := func(name string, n int) {
		fill(name+".weight", 0.8, 0.1, n)
		fill(name+".bias", 0.1, 0.2, n)
		fill(name+".running_mean", 0, 0.2, n)
		fill(name+".running_var", 1, 0.1, n)
	}
	weight("features.0", 64, 3, 7, 7)
	norm("features.1", 64)
	in := 64
	for layer, out := range []int{64, 128, 256, 512} {
		for k := range 2 {
			name := fmt.Sprintf("features.%d.%d.", layer+4, k)
			weight(name+"conv1", out, in, 3, 3)
			norm(name+"bn1", out)
			weight(name+"conv2", out, out, 3, 3)
			norm(name+"bn2", out)
			if in != out {
				weight(name+"downsample.0", out, in, 1, 1)
				norm(name+"downsample.1", out)
			}
			in = out
		}
	}
	for i := range heads {
		name := fmt.Sprintf("cat_head%d.", i)
		biased(name+"sa.conv1x1.0", 256, 512, 1, 1)
		norm(name+"sa.conv1x1.1", 256)
		for _, k := range [][2]int{{3, 3}, {1, 3}, {3, 1}} {
			kernel := fmt.Sprintf("sa.conv_%dx%d.", k[0], k[1])
			biased(name+kernel+"0", 512, 256, k[0], k[1])
			norm(name+kernel+"1", 512)
		}
		biased(name+"ca.attention.0", 32, 512)
		norm(name+"ca.attention.1", 32)
		biased(name+"ca.attention.3", 512, 32)
	}
	biased("fc", classes, 512)
	norm("bn", classes)
	return p
}

func TestGraphAgainstReference(t *testing.T) {
	const h, w = 32, 64 // not square: a map of one row and two columns
	weights := random(2, 7)
	x := wave(1, w)[:3*h*w]
	r := open(t)
	for heads := 2; heads > 0; heads-- {
		logits, gates := dan.Reference(weights, x, h, w)
		s, err := r.newSession(plan{name: "dan", path: export(t, weights), input: "input",
			outputs: []string{"logits", "attention"}, threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		out := run(t, s, x, []int64{3, h, w}, []int64{7}, []int64{int64(heads), 1, 2})
		for i, want := range [][]float64{logits, gates} {
			if d := worst(t, out[i], want); !(d <= 1e-4) {
				t.Errorf("%d heads, output %d differs by %.2g: %v, want %v", heads, i, d, out[i], want)
			}
		}
		if err := s.close(); err != nil {
			t.Error(err)
		}
		for name := range weights { // the second head goes
			if strings.HasPrefix(name, "cat_head1") {
				delete(weights, name)
			}
		}
	}
}
