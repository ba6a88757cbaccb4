package dan

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The sizes that the paper fixes (section 4.2 and the authors' checkpoints).
const (
	channels = 512 // of the ResNet-18 features
	squeezed = 256 // between the convolutions of the spatial attention
	hidden   = 32  // of the channel attention
)

// kernels are the parallel convolutions of a head's spatial attention.
var kernels = []struct {
	name string
	h, w int
}{{"conv_3x3", 3, 3}, {"conv_1x3", 1, 3}, {"conv_3x1", 3, 1}}

// parameter is one tensor of a checkpoint.
type parameter struct {
	name  string
	shape []int
}

// The most of a network; published ones have four heads and eight classes. Heads cost memory and time, and a
// file may repeat one stored value for all weights.
const (
	mostHeads   = 16
	mostClasses = 64
	mostFaults  = 1000 // that are listed
)

// Inspect finds the number of heads and of classes in the shapes of a checkpoint's tensors, and compares
// all names and shapes with those of such a DAN. unfit says what the tensors hold that hold no floats. The
// error is one line for what is no DAN at all, and otherwise lists the tensors that are missing, unknown,
// unfit or of another shape, and counts those past the first thousand.
func Inspect(shapes map[string][]int, unfit map[string]string) (heads, classes int, err error) {
	fc := shapes["fc.weight"]
	if what := unfit["fc.weight"]; what != "" {
		return 0, 0, fmt.Errorf(`not a DAN checkpoint: its "fc.weight" holds %s, want floats`, what)
	}
	if len(fc) != 2 {
		return 0, 0, errors.New(`not a DAN checkpoint: it has no matrix "fc.weight"`)
	}
	for heads <= mostHeads && (hasHead(shapes, heads) || hasHead(unfit, heads)) {
		heads++
	}
	classes = fc[0]
	if heads == 0 {
		return 0, 0, errors.New(`not a DAN checkpoint: it has no attention head "cat_head0"`)
	}
	if heads > mostHeads {
		return 0, 0, fmt.Errorf("a DAN with over %d heads: use one with fewer, published ones have 4", mostHeads)
	}
	if classes < 2 || classes > mostClasses {
		return 0, 0, fmt.Errorf("not a DAN checkpoint: %s, want 2 to %d", plural(classes, "class"), mostClasses)
	}
	return heads, classes, check(shapes, unfit, heads, classes)
}

func hasHead[T any](tensors map[string]T, i int) bool {
	prefix := fmt.Sprintf("cat_head%d.", i)
	for name := range tensors {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// check lists all that differs in one error.
func check(shapes map[string][]int, unfit map[string]string, heads, classes int) error {
	var faults []string
	known := map[string]bool{}
	for _, p := range parameters(heads, classes) {
		known[p.name] = true
		shape, ok := shapes[p.name]
		what := unfit[p.name]
		switch {
		case !ok && what != "":
			faults = append(faults, fmt.Sprintf("%s holds %s, want floats", p.name, what))
		case !ok:
			faults = append(faults, p.name+" is missing")
		case !slices.Equal(shape, p.shape):
			faults = append(faults, fmt.Sprintf("%s has shape %v, want %v", p.name, shape, p.shape))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(shapes)) {
		if !known[name] && !strings.HasSuffix(name, ".num_batches_tracked") {
			faults = append(faults, shown(name)+" is not part of the network")
		}
	}
	if more := len(faults) - mostFaults; more > 0 {
		faults = append(faults[:mostFaults], fmt.Sprintf("and %d more", more))
	}
	if len(faults) > 0 {
		return fmt.Errorf("not the checkpoint of a DAN with %s and %s:\n  %s", plural(heads, "head"),
			plural(classes, "class"), strings.Join(faults, "\n  "))
	}
	return nil
}

func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	if strings.HasSuffix(thing, "s") {
		thing += "e"
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// shown is a name out of a file for a terminal: what is not printable there is quoted.
func shown(name string) string {
	quoted := fmt.Sprintf("%.80q", name)
	if plain := quoted[1 : len(quoted)-1]; strings.HasPrefix(name, plain) {
		return plain
	}
	return quoted
}

// parameters lists what the checkpoint of a DAN holds.
func parameters(heads, classes int) []parameter {
	var list []parameter
	add := func(name string, shape ...int) { list = append(list, parameter{name, shape}) }
	norm := func(name string, n int) {
		for _, part := range []string{"weight", "bias", "running_mean", "running_var"} {
			add(name+"."+part, n)
		}
	}
	biased := func(name string, shape ...int) {
		add(name+".weight", shape...)
		add(name+".bias", shape[0])
	}
	add("features.0.weight", 64, 3, 7, 7)
	norm("features.1", 64)
	for _, b := range blocks() {
		add(b.name+".conv1.weight", b.out, b.in, 3, 3)
		norm(b.name+".bn1", b.out)
		add(b.name+".conv2.weight", b.out, b.out, 3, 3)
		norm(b.name+".bn2", b.out)
		if b.stride > 1 {
			add(b.name+".downsample.0.weight", b.out, b.in, 1, 1)
			norm(b.name+".downsample.1", b.out)
		}
	}
	for i := range heads {
		head := fmt.Sprintf("cat_head%d.", i)
		biased(head+"sa.conv1x1.0", squeezed, channels, 1, 1)
		norm(head+"sa.conv1x1.1", squeezed)
		for _, k := range kernels {
			biased(head+"sa."+k.name+".0", channels, squeezed, k.h, k.w)
			norm(head+"sa."+k.name+".1", channels)
		}
		biased(head+"ca.attention.0", hidden, channels)
		norm(head+"ca.attention.1", hidden)
		biased(head+"ca.attention.3", channels, hidden)
	}
	biased("fc", classes, channels)
	norm("bn", classes)
	return list
}

// block is one basic block of ResNet-18. Its shortcut is a convolution where it shrinks the picture.
type block struct {
	name    string
	in, out int
	stride  int
}

func blocks() []block {
	var list []block
	in := 64
	for layer, out := range []int{64, 128, 256, 512} {
		stride := min(layer+1, 2)
		for i := range 2 {
			list = append(list, block{fmt.Sprintf("features.%d.%d", layer+4, i), in, out, stride})
			in, stride = out, 1
		}
	}
	return list
}
