package checkpoint

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// The functions below write pickle opcodes (Python's Lib/pickletools.py), as torch.save does.

func text(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

func integer(n int) string {
	return "J" + string(binary.LittleEndian.AppendUint32(nil, uint32(int32(n))))
}

func inTuple(items ...string) string { return "(" + strings.Join(items, "") + "t" }

func integerTuple(list []int) string {
	var items []string
	for _, n := range list {
		items = append(items, integer(n))
	}
	return inTuple(items...)
}

func global(module, name string) string { return "c" + module + "\n" + name + "\n" }

func pairs(items ...string) string { return "}(" + strings.Join(items, "") + "u" }

func ordered(pairs ...string) string {
	return global("collections", "OrderedDict") + ")R(" + strings.Join(pairs, "") + "u"
}

// tensor is a tensor that lies in a storage: its archive member has the name key.
func tensor(storage, key string, count, offset int, shape, stride []int) string {
	id := inTuple(text("storage"), global("torch", storage), text(key), text("cpu"), integer(count)) + "Q"
	return global("torch._utils", "_rebuild_tensor_v2") +
		inTuple(id, integer(offset), integerTuple(shape), integerTuple(stride), "\x89", ordered()) + "R"
}

// member is a file of an archive.
type member struct{ name, content string }

// archive packs members into a zip archive.
func archive(t testing.TB, method uint16, members ...member) string {
	t.Helper()
	var file bytes.Buffer
	w := zip.NewWriter(&file)
	for _, m := range members {
		f, err := w.CreateHeader(&zip.FileHeader{Name: m.name, Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, m.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.String()
}

// zipped is a checkpoint with three storages: "f" with the floats 0 to 5, "h" with the halves 1 and -2,
// "n" with the integer 7.
func zipped(t testing.TB, object string, more ...member) string {
	t.Helper()
	var floats []byte
	for i := range 6 {
		floats = binary.LittleEndian.AppendUint32(floats, math.Float32bits(float32(i)))
	}
	return archive(t, zip.Store, append([]member{
		{"archive/data.pkl", "\x80\x02" + object + "."},
		{"archive/data/f", string(floats)},
		{"archive/data/h", "\x00\x3c\x00\xc0"},
		{"archive/data/n", "\x07\x00\x00\x00\x00\x00\x00\x00"},
	}, more...)...)
}

func write(t testing.TB, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "weights.pth")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func save(t *testing.T, object string) string { return write(t, zipped(t, object)) }

// read is Open and Read.
func read(path string) (tensors map[string]Tensor, err error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return f.Read(context.Background())
}

func TestRead(t *testing.T) {
	weights := []string{
		text("whole"), tensor("FloatStorage", "f", 6, 0, []int{2, 3}, []int{3, 1}),
		text("transposed"), tensor("FloatStorage", "f", 6, 0, []int{3, 2}, []int{1, 3}),
		text("part"), tensor("FloatStorage", "f", 6, 4, []int{2}, []int{1}),
		text("single"), tensor("FloatStorage", "f", 6, 5, nil, nil),
		text("repeated"), tensor("FloatStorage", "f", 6, 3, []int{2, 2}, []int{0, 1}),
		text("half"), tensor("HalfStorage", "h", 2, 0, []int{2}, []int{1}),
		text("bn.num_batches_tracked"), tensor("LongStorage", "n", 1, 0, nil, nil),
	}
	want := map[string]Tensor{
		"whole":      {[]int{2, 3}, []float32{0, 1, 2, 3, 4, 5}},
		"transposed": {[]int{3, 2}, []float32{0, 3, 1, 4, 2, 5}},
		"part":       {[]int{2}, []float32{4, 5}},
		"single":     {[]int{}, []float32{5}},
		"repeated":   {[]int{2, 2}, []float32{3, 4, 3, 4}},
		"half":       {[]int{2}, []float32{1, -2}},
	}
	ran := filepath.Join(t.TempDir(), "ran")
	with := func(key string, value string) string {
		return pairs(text("model_state_dict"), ordered(weights...), text(key), pairs(text("more"), value))
	}
	for name, object := range map[string]string{
		// What PyTorch's schedulers leave beside the weights. OneCycleLR's static method has a dotted name,
		// which pickle's protocol 2 writes as a getattr.
		"MultiStepLR": with("scheduler",
			global("collections", "Counter")+inTuple(pairs(integer(30), integer(1)))+"R"),
		"OneCycleLR": with("scheduler",
			global("__builtin__", "getattr")+inTuple(global("torch.optim.lr_scheduler", "OneCycleLR"),
				text("_annealing_cos"))+"R"),
		"LambdaLR": with("scheduler",
			"]("+global("functools", "partial")+inTuple(global("train", "warm"))+"R"+inTuple(integer(5), "N")+"be"),
		"a nested class": with("config",
			global("__builtin__", "getattr")+inTuple(global("train", "Net"), text("Config"))+"R)\x81"+pairs(text("lr"),
				integer(1))+"b"),
		"a bound method": with("hook",
			global("__builtin__", "getattr")+inTuple(global("train", "Net")+")\x81", text("step"))+"R)R"),
		"a command": with("scheduler", global("posix", "system")+inTuple(text("touch "+ran))+"R"),
		"a command on top": pairs(text("hook"),
			pairs(text("f"), global("posix", "system")+inTuple(text("touch "+ran))+"R"), text("state_dict"),
			ordered(weights...)),
		"dict":             pairs(weights...),
		"ordered dict":     ordered(weights...),
		"model_state_dict": pairs(text("iter"), integer(40), text("model_state_dict"), ordered(weights...)),
		"state_dict":       pairs(text("state_dict"), pairs(weights...)),
		"with an optimizer": pairs(text("state_dict"), pairs(weights...), text("args"),
			"cargparse\nNamespace\n)\x81"+pairs(text("lr"), integer(1))+"b",
			text("optimizer_state_dict"),
			pairs(text("state"), pairs(integer(0), tensor("FloatStorage", "gone", 6, 0, []int{6}, []int{1})))),
	} {
		got, err := read(save(t, object))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	if _, err := os.Stat(ran); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the command was run: %v", err)
	}
}

func TestReadRefuses(t *testing.T) {
	one := func(storage, key string, count, offset int, shape, stride []int) string {
		return pairs(text("w"), tensor(storage, key, count, offset, shape, stride))
	}
	for name, c := range map[string]struct{ object, want string }{
		"no dict":          {integer(3), "not a state dict"},
		"empty":            {pairs(), "no tensors"},
		"other objects":    {pairs(text("epoch"), integer(3)), `no tensors found (its keys are: "epoch")`},
		"a number as name": {pairs(integer(1), integer(2)), "no tensors"},
		"beyond the end":   {one("FloatStorage", "f", 6, 4, []int{3}, []int{1}), `"w"`},
		"before the start": {one("FloatStorage", "f", 6, -1, []int{1}, []int{1}), `"w"`},
		"negative stride":  {one("FloatStorage", "f", 6, 5, []int{2}, []int{-1}), `"w"`},
		"negative size":    {one("FloatStorage", "f", 6, 0, []int{-1}, []int{1}), `"w"`},
		"huge":             {one("FloatStorage", "f", 6, 0, []int{1 << 13, 1 << 13}, []int{0, 0}), `"w"`},
		"missing stride":   {one("FloatStorage", "f", 6, 0, []int{6}, nil), `"w"`},
		"missing storage":  {one("FloatStorage", "x", 6, 0, []int{6}, []int{1}), "x"},
	} {
		path := save(t, c.object)
		if _, err := read(path); err == nil || !strings.Contains(err.Error(), c.want) ||
			!strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v does not name %s and the file", name, err, c.want)
		}
	}
	if _, err := read(filepath.Join(t.TempDir(), "none.pth")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}
