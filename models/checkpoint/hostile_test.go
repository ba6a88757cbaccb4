package checkpoint

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

var protocol2 = "\x80\x02" + string(legacyMagic)

// legacy is a checkpoint in the format before 1.6, whose one storage "f" has the floats 0 to 2.
func legacy(object, keys, storages string) string {
	return protocol2 + "\x80\x02M\xe9\x03." + "\x80\x02" + pairs(text("little_endian"), "\x88") + "." +
		"\x80\x02" + object + "." + "\x80\x02" + keys + "." + storages
}

const threeFloats = "\x03\x00\x00\x00\x00\x00\x00\x00" + "\x00\x00\x00\x00\x00\x00\x80\x3f\x00\x00\x00\x40"

// legacyView is a tensor of three values in storage "f".
func legacyView(count int) string {
	id := inTuple(text("storage"), global("torch", "FloatStorage"), text("f"), text("cpu"), integer(count), "N") + "Q"
	return global("torch._utils", "_rebuild_tensor_v2") +
		inTuple(id, integer(0), integerTuple([]int{3}), integerTuple([]int{1}), "\x89", ordered()) + "R"
}

func whole() string { return tensor("FloatStorage", "f", 6, 0, []int{2, 3}, []int{3, 1}) }

func TestReadLegacy(t *testing.T) {
	got, err := read(write(t, legacy(pairs(text("w"), legacyView(3)), "]("+text("f")+"e", threeFloats)))
	if err != nil {
		t.Fatal(err)
	}
	if w := got["w"]; len(w.Data) != 3 || w.Data[1] != 1 || w.Data[2] != 2 {
		t.Errorf("got %v", got)
	}
}

func TestReadCompressed(t *testing.T) {
	id := inTuple(text("storage"), global("torch", "HalfStorage"), text("0"), text("cpu"), integer(2)) + "Q"
	w := global("torch._utils", "_rebuild_tensor_v2") +
		inTuple(id, integer(0), integerTuple([]int{2}), integerTuple([]int{1}), "\x89", ordered()) + "R"
	got, err := read(write(t,
		archive(t, zip.Deflate, member{"x/data.pkl", "\x80\x02" + pairs(text("module.w"), w) + "."},
			member{"x/data/0", "\x00\x3c\x00\xc0"})))
	if err != nil {
		t.Fatal(err)
	}
	if v := got["w"].Data; len(v) != 2 || v[0] != 1 || v[1] != -2 { // and without DataParallel's prefix
		t.Errorf("got %v", got)
	}
}

// repeated are n tensors of 16 million values each, of one single stored value.
func repeated(n int) (items []string) {
	for i := range n {
		items = append(items, text(fmt.Sprintf("t%d", i)),
			tensor("FloatStorage", "f", 6, 0, []int{1 << 12, 1 << 12}, []int{0, 0}))
	}
	return items
}

// hostile files, and what their one line of an error says.
func hostile(t testing.TB) map[string]struct{ file, want string } {
	command := global("posix", "system") + inTuple(text("true")) + "R"
	good := zipped(t, pairs(text("w"), whole()))
	list := func(items ...string) string { return "](" + strings.Join(items, "") + "e" }
	u64 := func(n uint64) string { return string(binary.LittleEndian.AppendUint64(nil, n)) }
	member1 := func(name string) string { return archive(t, zip.Store, member{name, "\x80\x02}."}) }
	var crowd []member
	for range 9000 {
		crowd = append(crowd, member{"a/data/" + strings.Repeat("x", 1000), ""})
	}
	return map[string]struct{ file, want string }{
		"empty":              {"", "torch.save"},
		"text":               {"# weights\n", "torch.save"},
		"tar":                {strings.Repeat("\x00", 257) + "ustar\x0000", "tar archive"},
		"cut off":            {good[:len(good)/2], "cut off"},
		"only the directory": {good[len(good)-200:], "torch.save"},
		"altered":            {strings.Replace(good, "\x00\x00\x80\x3f", "\x00\x00\x80\x3e", 1), "checksum"},
		"no pickle":          {member1("archive/data.bin"), "0 files data.pkl"},
		"climbing out":       {member1("../../etc/data.pkl"), "0 files data.pkl"},
		"two pickles": {archive(t, zip.Store, member{"a/data.pkl", "}."}, member{"b/data.pkl", "}."}),
			"2 files data.pkl"},
		"TorchScript":         {zipped(t, pairs(), member{"archive/constants.pkl", "}."}), "TorchScript"},
		"big endian":          {zipped(t, pairs(), member{"archive/byteorder", "big"}), "byte order"},
		"a crowded directory": {archive(t, zip.Store, crowd...), "directory"},
		"a command":           {zipped(t, command), "posix.system"},
		"a command by INST":   {zipped(t, "("+text("true")+"iposix\nsystem\n"), "opcode 0x69"},
		"eval": {zipped(t, pairs(text("w"), global("builtins", "eval")+inTuple(text("1"))+"R")),
			"builtins.eval"},
		"a command for weights": {zipped(t, pairs(text("w"), whole(), text("v"), command)),
			`"v" is what a call of "posix.system" gives, which was not run`},
		"a command over weights": {zipped(t,
			pairs(text("w"), whole(), text("w"), command)), "posix.system"},
		"a command for them all": {zipped(t, pairs(text("state_dict"), command)),
			`"state_dict" is what a call of "posix.system"`},
		"a command in a parameter": {zipped(t,
			pairs(text("w"), global("torch._utils",
				"_rebuild_parameter")+inTuple(command, "\x88",
				ordered())+"R")), "posix.system"},
		"a command for a storage": {zipped(t, pairs(text("w"), global("torch._utils", "_rebuild_tensor_v2")+
			inTuple(command, integer(0), integerTuple([]int{6}),
				integerTuple([]int{1}), "\x89", ordered())+"R")), "other types"},
		"a method for weights": {zipped(t, pairs(text("w"), global("__builtin__", "getattr")+
			inTuple(global("os", "path"), text("join"))+"R"+inTuple(text("a"))+"R")), "__builtin__.getattr"},
		"a call of a number": {zipped(t, pairs(text("w"), integer(1)+")R")), "calls a value"},
		"a model":            {zipped(t, global("networks.dan", "DAN")+")\x81}b"), "networks.dan.DAN"},
		"a storage key outside": {zipped(t,
			pairs(text("w"), tensor("FloatStorage", "../data.pkl", 6, 0, []int{6}, []int{1}))), "not in the archive"},
		"a storage too short": {zipped(t, pairs(text("w"), tensor("FloatStorage", "f", 7, 0, []int{7}, []int{1}))),
			"24 bytes, want 28"},
		"a storage too long": {zipped(t, pairs(text("w"), tensor("FloatStorage", "f", 1, 0, []int{1}, []int{1}))),
			"24 bytes, want 4"},
		"a huge storage": {zipped(t,
			pairs(text("w"), tensor("FloatStorage", "f", 1<<31-1, 0, []int{1<<31 - 1}, []int{1}))), `"w"`},
		"storages of gigabytes": {zipped(t, pairs(
			text("v"), tensor("DoubleStorage", "f", 1<<26, 0, []int{6}, []int{1}),
			text("w"), tensor("DoubleStorage", "g", 1<<26, 0, []int{6}, []int{1}), text("x"),
			tensor("DoubleStorage", "h", 1<<26, 0, []int{6}, []int{1}))),
			`"x": its storage and those before it have over 1073741824 bytes`},
		"many values of one": {zipped(t, pairs(repeated(5)...)),
			`"t4": with those before it beyond 67108864 values`},
		"a storage of two kinds": {zipped(t,
			pairs(text("v"), whole(), text("w"), tensor("IntStorage", "f", 6, 0, []int{6}, []int{1}))),
			`"f" in two ways`},
		"far apart": {zipped(t,
			pairs(text("v"), tensor("FloatStorage", "f", 1<<27, 0, []int{6}, []int{1}), text("w"),
				tensor("FloatStorage", "f", 1<<27, 1<<26, []int{6}, []int{1}))),
			`"w": spread with others`},
		"overflowing shape": {zipped(t,
			pairs(text("w"), tensor("FloatStorage", "f", 6, 0, []int{1 << 24, 1 << 24, 1 << 24}, []int{0, 0, 0}))),
			`"w"`},
		"many axes": {zipped(t,
			pairs(text("w"), tensor("FloatStorage", "f", 6, 0, make([]int, 40), make([]int, 40)))), "other types"},
		"a storage for a shape": {zipped(t, pairs(text("w"), global("torch._utils", "_rebuild_tensor_v2")+
			inTuple(")", ")", ")", ")")+"R")), "other types"},
		"a tensor of nothing": {zipped(t, pairs(text("w"), global("torch._utils", "_rebuild_tensor_v2")+")R")),
			"too few"},
		"another storage class": {zipped(t, pairs(text("w"), tensor("QUInt8Storage", "f", 6, 0, []int{6}, []int{1}))),
			"QUInt8Storage"},
		"persistent nonsense": {zipped(t, pairs(text("w"), text("storage")+"Q")), "no storage"},
		"a long string":       {zipped(t, "\x8d"+u64(1<<62)), "longer than"},
		"a string not there":  {zipped(t, "\x8d"+u64(1<<20)), "too early"},
		"a long frame":        {zipped(t, "\x95"+u64(1<<63)), "empty stack"},
		"a long number":       {zipped(t, "\x8b\xff\xff\xff\xff"), "longer than"},
		"a bomb of dicts":     {archive(t, zip.Deflate, member{"a/data.pkl", strings.Repeat("}", 20<<20)}), "values"},
		"a bomb of marks":     {archive(t, zip.Deflate, member{"a/data.pkl", strings.Repeat("(", 20<<20)}), "values"},
		"a bomb of text": {archive(t, zip.Deflate, member{"a/data.pkl", "V" + strings.Repeat("x", 20<<20)}),
			"longer than"},
		"a bomb of the memo": {archive(t, zip.Deflate, member{"a/data.pkl", "}" + strings.Repeat("\x94", 20<<20)}),
			"values"},
		"a bomb of doubling":  {zipped(t, "]"+strings.Repeat("2\x86", 200)), "a tuple, not a state dict"},
		"a list in itself":    {zipped(t, "]2a"), "a list, not a state dict"},
		"a dict in itself":    {zipped(t, "}q\x00"+text("state_dict")+"h\x00s"), "no tensors"},
		"from an empty stack": {zipped(t, "0"), "empty stack"},
		"below a mark":        {zipped(t, "}(0"), "empty stack"},
		"no mark":             {zipped(t, "}u"), "mark"},
		"an odd item":         {zipped(t, "}(Nu"), "without a value"},
		"items of None":       {zipped(t, "NNNs"), "None"},
		"never kept":          {zipped(t, "h\x07"), "never kept"},
		"opcode 255":          {zipped(t, "\xff"), "opcode 0xff"},
		"old cut off": {legacy(pairs(text("w"), legacyView(3)), list(text("f")), threeFloats[:19]),
			"cut off"},
		"old with a huge count": {legacy(pairs(text("w"), legacyView(1<<30)), list(text("f")), u64(1<<30)), "cut off"},
		"old with two counts": {legacy(pairs(text("w"), legacyView(4)), list(text("f")), threeFloats),
			"3 values, want 4"},
		"old without keys":    {legacy(pairs(text("w"), legacyView(3)), list(), threeFloats), "not in the file"},
		"old with other keys": {legacy(pairs(text("w"), legacyView(3)), list("N"), threeFloats), "no tensor uses"},
		"old of nothing":      {protocol2, "too early"},
		"old of protocol 7":   {protocol2 + "K\x07.", "1001"},
	}
}

func TestHostileFiles(t *testing.T) {
	for name, c := range hostile(t) {
		path := write(t, c.file)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := read(path)
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) ||
			strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v does not name %q and the file in one line", name, err, c.want)
		}
		const most = 160 << 20 // all that was ever allocated, not just at a time
		if n := after.TotalAlloc - before.TotalAlloc; n > most {
			t.Errorf("%s: %d MB were allocated", name, n>>20)
		}
	}
}

// However much is missing at the end, it is noticed.
func TestCutOffAnywhere(t *testing.T) {
	for name, file := range map[string]string{
		"zip":    zipped(t, pairs(text("w"), whole())),
		"legacy": legacy(pairs(text("w"), legacyView(3)), "]("+text("f")+"e", threeFloats),
	} {
		for n := range len(file) {
			f := File{}
			err := f.parse(strings.NewReader(file[:n]), int64(n))
			if err == nil {
				_, err = f.Read(t.Context())
			}
			if err == nil {
				t.Fatalf("%s: %d of %d bytes were enough", name, n, len(file))
			}
		}
	}
}

// FuzzRead reads data as a file, or as the pickle of one.
func FuzzRead(f *testing.F) {
	for _, c := range hostile(f) {
		if len(c.file) < 4096 {
			f.Add([]byte(c.file), false)
		}
	}
	f.Add([]byte(zipped(f, pairs(text("w"), whole()))), false)
	f.Add([]byte(legacy(pairs(text("w"), legacyView(3)), "]("+text("f")+"e", threeFloats)), false)
	f.Add([]byte(pairs(text("state_dict"),
		ordered(text("w"), whole(), text("h"), tensor("HalfStorage", "h", 2, 0, []int{2}, []int{1})))), true)
	f.Add([]byte(safe(`{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}`, floats)), false)
	f.Add([]byte("\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x05epoch\x94K\x03s"), true)
	f.Fuzz(func(t *testing.T, data []byte, pickled bool) {
		if pickled {
			data = []byte(zipped(t, string(data)))
		}
		file := File{}
		if err := file.parse(bytes.NewReader(data), int64(len(data))); err != nil {
			if err.Error() == "" || strings.Contains(err.Error(), "\n") {
				t.Errorf("the error is not one line: %q", err)
			}
			return
		}
		total := 0
		for _, v := range file.views {
			n, _, err := v.extent()
			if total += n; err != nil || total > 1<<20 {
				return // refused, or allowed and slow
			}
		}
		tensors, err := file.Read(t.Context())
		if err != nil {
			return
		}
		for name, shape := range file.Shapes() {
			n := 1
			for _, d := range shape {
				n *= d
			}
			if len(tensors[name].Data) != n {
				t.Errorf("%q has %d values, its shape is %v", name, len(tensors[name].Data), shape)
			}
		}
	})
}
