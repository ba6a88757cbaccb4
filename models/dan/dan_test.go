package dan

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"strings"
	"testing"

	"mindflow/models/checkpoint"
)

// blank is the checkpoint of a DAN with every value the same.
func blank(heads, classes int) map[string]checkpoint.Tensor {
	tensors := map[string]checkpoint.Tensor{}
	for _, p := range parameters(heads, classes) {
		n := 1
		for _, d := range p.shape {
			n *= d
		}
		data := make([]float32, n)
		for i := range data {
			data[i] = 0.01
		}
		tensors[p.name] = checkpoint.Tensor{Shape: p.shape, Data: data}
	}
	return tensors
}

func TestBuild(t *testing.T) {
	tensors := blank(1, 7)
	tensors["bn.num_batches_tracked"] = checkpoint.Tensor{Shape: []int{}, Data: []float32{1}}
	model, summary, err := Build(tensors, FP16)
	if err != nil {
		t.Fatal(err)
	}
	if summary.Heads != 1 || summary.Classes != 7 {
		t.Errorf("found %d heads and %d classes, want 1 and 7", summary.Heads, summary.Classes)
	}
	first := model.Marshal()
	if size := len(first); size < 2*summary.Parameters || size > 2*summary.Parameters+100_000 {
		t.Errorf("%d bytes for %d parameters of two", size, summary.Parameters)
	}
	if model, _, err = Build(tensors, FP16); err != nil || !bytes.Equal(first, model.Marshal()) {
		t.Errorf("the same weights gave another file, error %v", err)
	}

	tensors["fc.weight"].Data[9] = 1e6
	if _, _, err := Build(tensors, FP16); err == nil || !strings.Contains(err.Error(), "fc.weight") ||
		!strings.Contains(err.Error(), "fp32") {
		t.Errorf("a value beyond half precision: %v", err)
	}
	if _, _, err := Build(tensors, "int8"); err == nil || !strings.Contains(err.Error(), `"int8"`) {
		t.Errorf("an unknown precision: %v", err)
	}
}

// All that is wrong stands in one error.
func TestBuildListsEveryFault(t *testing.T) {
	good := blank(2, 8)
	cases := []struct {
		name   string
		change func(map[string]checkpoint.Tensor)
		want   []string
	}{
		{"several", func(m map[string]checkpoint.Tensor) {
			delete(m, "features.0.weight")
			delete(m, "cat_head1.sa.conv_1x3.1.running_var")
			m["cat_head0.ca.attention.0.weight"] = checkpoint.Tensor{Shape: []int{16, 512},
				Data: make([]float32, 16*512)}
			m["landmarks.weight"] = checkpoint.Tensor{Shape: []int{1}, Data: []float32{0}}
		}, []string{
			"2 heads and 8 classes",
			"features.0.weight is missing", "cat_head1.sa.conv_1x3.1.running_var is missing",
			"cat_head0.ca.attention.0.weight has shape [16 512], want [32 512]",
			"landmarks.weight is not part of the network",
		}},
		{"a gap in the heads", func(m map[string]checkpoint.Tensor) {
			for name := range m {
				if strings.HasPrefix(name, "cat_head0.") {
					delete(m, name)
				}
			}
		}, []string{"cat_head0"}},
		{"another network", func(m map[string]checkpoint.Tensor) { delete(m, "fc.weight") }, []string{"fc.weight"}},
	}
	for _, c := range cases {
		tensors := maps.Clone(good)
		c.change(tensors)
		_, _, err := Build(tensors, FP32)
		for _, part := range c.want {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%s: error %v does not say %q", c.name, err, part)
			}
		}
	}
}

// shapes are those of the tensors of a DAN.
func shapes(heads, classes int) map[string][]int {
	m := map[string][]int{}
	for _, p := range parameters(heads, classes) {
		m[p.name] = p.shape
	}
	return m
}

// Shapes cost a file nothing, so that their number is bounded before anything is read.
func TestInspectBounds(t *testing.T) {
	for _, c := range []struct {
		heads, classes int
		want           string
	}{
		{16, 64, ""},
		{17, 8, "a DAN with over 16 heads: use one with fewer, published ones have 4"},
		{57, 8, "a DAN with over 16 heads: use one with fewer, published ones have 4"},
		{4, 1, "not a DAN checkpoint: 1 class, want 2 to 64"},
		{4, 65, "not a DAN checkpoint: 65 classes, want 2 to 64"},
	} {
		heads, classes, err := Inspect(shapes(c.heads, c.classes), nil)
		if c.want != "" && (err == nil || err.Error() != c.want) ||
			c.want == "" && (err != nil || heads != c.heads || classes != c.classes) {
			t.Errorf("%d heads and %d classes: %d, %d, %v", c.heads, c.classes, heads, classes, err)
		}
	}
	crowd := shapes(2, 8)
	delete(crowd, "bn.bias")
	for i := range 5000 {
		crowd[fmt.Sprintf("extra%04d", i)] = []int{1}
	}
	_, _, err := Inspect(crowd, nil)
	if err == nil {
		t.Fatal("extra names were accepted")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 1002 || lines[1] != "  bn.bias is missing" ||
		lines[1000] != "  extra0998 is not part of the network" || lines[1001] != "  and 4001 more" {
		t.Errorf("it has %d lines, the last is %q", len(lines), lines[len(lines)-1])
	}
}

// Tensors that are there but hold no floats are not called missing.
func TestInspectNamesTheUnfit(t *testing.T) {
	unfit := map[string]string{"bn.num_batches_tracked": "integers"}
	if _, _, err := Inspect(shapes(2, 8), unfit); err != nil {
		t.Error(err)
	}
	m := shapes(2, 8)
	for name := range m {
		if name == "fc.bias" || strings.HasPrefix(name, "cat_head1.ca.attention.1.") {
			unfit[name] = "integers"
			delete(m, name)
		}
	}
	_, _, err := Inspect(m, unfit)
	if err == nil || !strings.Contains(err.Error(), "  fc.bias holds integers, want floats") ||
		!strings.Contains(err.Error(), "cat_head1.ca.attention.1.bias holds integers") ||
		strings.Contains(err.Error(), "missing") {
		t.Errorf("it says %v", err)
	}
	delete(m, "fc.weight")
	unfit["fc.weight"] = "complex numbers"
	if _, _, err := Inspect(m, unfit); err == nil ||
		!strings.Contains(err.Error(), `"fc.weight" holds complex numbers, want floats`) {
		t.Errorf("it says %v", err)
	}
}

// What would come out as no number is blamed on the tensor, not on the graph.
func TestBuildRefusesValues(t *testing.T) {
	for name, c := range map[string]struct {
		value float32
		want  string
	}{
		"features.1.running_var":  {-1, "features.1.running_var holds -1, and no variance is negative"},
		"features.1.running_mean": {-1, ""},
		"fc.weight":               {float32(math.Inf(1)), "fc.weight holds +Inf"},
	} {
		tensors := blank(1, 8)
		tensors[name].Data[3] = c.value
		if _, _, err := Build(tensors, FP32); c.want == "" && err != nil ||
			c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s of %g: %v", name, c.value, err)
		}
	}
}

// A name that a stranger chose cannot colour the terminal or add lines to what is said.
func TestNamesAreShownPlain(t *testing.T) {
	tensors := blank(1, 8)
	nan := checkpoint.Tensor{Shape: []int{1}, Data: []float32{float32(math.NaN())}}
	for _, name := range []string{"x\x1b[31m\x07", "y\nmindflow: all good", "z\u202e", `q"`, "ångström"} {
		tensors[name] = nan
	}
	_, _, err := Build(tensors, FP32)
	want := "not the checkpoint of a DAN with 1 head and 8 classes:\n" +
		"  \"q\\\"\" is not part of the network\n" +
		"  \"x\\x1b[31m\\a\" is not part of the network\n" +
		"  \"y\\nmindflow: all good\" is not part of the network\n" +
		"  \"z\\u202e\" is not part of the network\n" +
		"  ångström is not part of the network"
	if err == nil || err.Error() != want {
		t.Errorf("it says %q", err)
	}
	tensors = blank(1, 8)
	tensors["\x1b[2J.num_batches_tracked"] = nan
	_, _, err = Build(tensors, FP32)
	if err == nil || !strings.Contains(err.Error(), `"\x1b[2J.num_batches_tracked" holds NaN`) {
		t.Errorf("it says %q", err)
	}
	if got := shown(strings.Repeat("x", 200)); got != strings.Repeat("x", 80) {
		t.Errorf("a long name is shown as %s", got)
	}
}

// A layer with the norm folded in gives what the two give one after the other.
func TestFolded(t *testing.T) {
	w := weights{
		"l.weight":       {Shape: []int{2, 3}, Data: []float32{1, 2, 3, -1, 0.5, 4}},
		"l.bias":         {Shape: []int{2}, Data: []float32{0.25, -3}},
		"n.weight":       {Shape: []int{2}, Data: []float32{1.5, -0.5}},
		"n.bias":         {Shape: []int{2}, Data: []float32{0.125, 7}},
		"n.running_mean": {Shape: []int{2}, Data: []float32{2, -1}},
		"n.running_var":  {Shape: []int{2}, Data: []float32{4, 0.01}},
	}
	x := []float64{0.5, -2, 3}
	layer, folded := w.layer("l"), w.folded("l", "n")
	for o := range 2 {
		y, got := layer.bias[o], folded.bias[o]
		for i, v := range x {
			y += layer.weight[o*3+i] * v
			got += folded.weight[o*3+i] * v
		}
		mean, variance := w.values("n.running_mean")[o], w.values("n.running_var")[o]
		want := (y-mean)/math.Sqrt(variance+1e-5)*w.values("n.weight")[o] + w.values("n.bias")[o]
		if math.Abs(got-want) > 1e-12*math.Abs(want) {
			t.Errorf("output %d is %g, want %g", o, got, want)
		}
	}
}
