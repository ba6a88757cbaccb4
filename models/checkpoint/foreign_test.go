package checkpoint

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// floats are 1, -2, 0.5 in float32.
const floats = "\x00\x00\x80\x3f\x00\x00\x00\xc0\x00\x00\x00\x3f"

// safe is a file of the safetensors format.
func safe(header, values string) string {
	return string(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))) + header + values
}

func TestReadSafetensors(t *testing.T) {
	got, err := read(write(t, safe(`{"__metadata__":{"format":"pt"},
		"module.b":{"dtype":"F32","shape":[],"data_offsets":[8,12]},
		"module.a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},
		"module.n":{"dtype":"I64","shape":[1],"data_offsets":[12,20]}}   `, floats+"12345678")))
	want := map[string]Tensor{"a": {[]int{1, 2}, []float32{1, -2}}, "b": {[]int{}, []float32{0.5}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

func TestSafetensorsRefused(t *testing.T) {
	one := func(field string) string { return fmt.Sprintf(`{"a":{%s}}`, field) }
	for name, row := range map[string]struct{ file, want string }{
		"cut off":        {safe(one(`"dtype":"F32","shape":[3],"data_offsets":[0,12]`), floats[:11]), "cut off"},
		"header cut off": {safe(one(`"dtype":"F32"`), "")[:12], "cut off"},
		"no JSON":        {safe(`{"a"  `, floats), "no JSON"},
		"another size":   {safe(one(`"dtype":"F32","shape":[2],"data_offsets":[0,12]`), floats), "does not fit"},
		"negative":       {safe(one(`"dtype":"F32","shape":[3],"data_offsets":[-12,0]`), floats), "does not fit"},
		"a negative dimension": {safe(one(`"dtype":"F32","shape":[-3],"data_offsets":[0,12]`), floats),
			"beyond"},
		"endless": {safe(one(`"dtype":"F32","shape":[9999999,9999999,9999999],"data_offsets":[0,12]`), floats),
			"beyond"},
		"a new type": {safe(one(`"dtype":"F8_E4M3","shape":[3],"data_offsets":[0,3]`), floats), "F8_E4M3"},
		"a list":     {safe(`{"a":[1]}`, floats), "not described"},
	} {
		if got, err := read(write(t, row.file)); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, %v; want %q", name, got, err, row.want)
		}
	}
}

// What is no checkpoint is named by its first bytes.
func TestForeignFiles(t *testing.T) {
	zipAround := archive(t, zip.Deflate, member{"weights/dan.pth", "x"})
	for name, row := range map[string]struct{ begin, want string }{
		"a file host's page": {"\n<!DOCTYPE html><html><head><title>Virus scan warning</title>", "an HTML page"},
		"a page":             {"<html>", "an HTML page"},
		"a storage's error":  {`<?xml version="1.0"?><Error><Code>AccessDenied`, "an XML document"},
		"a pointer":          {"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "git lfs pull"},
		"gzip":               {"\x1f\x8b\x08\x00", "gunzip"},
		"xz":                 {"\xfd7zXZ\x00", "a compressed archive"},
		"JSON":               {`{"error":{"code":404}}`, "a JSON text"},
		"HDF5":               {"\x89HDF\r\n\x1a\n", "Keras"},
		"ONNX":               {"\x08\x07\x12\x07pytorch", "an ONNX model"},
		"nothing":            {"", "an empty file"},
		"a zip around it":    {zipAround, `a zip archive around "weights/dan.pth"`},
		"a plain pickle":     {"\x80\x04K\x01.", "a pickle that torch.save did not write"},
		"something else":     {"GIF89a", "neither a zip archive"},
	} {
		if got, err := read(write(t, row.begin)); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, %v; want %q", name, got, err, row.want)
		}
	}
}

// The names of wrappers are left out if all names have them, and the sole dictionary of tensors is found under any key.
func TestWrappedNames(t *testing.T) {
	two := func(prefix string) string {
		return pairs(text(prefix+"a.w"), whole(), text(prefix+"b"), whole())
	}
	for name, row := range map[string]struct{ object, key, prefix string }{
		"torch.compile":            {two("_orig_mod."), "", "_orig_mod."},
		"compiled in DataParallel": {two("module._orig_mod."), "", "module._orig_mod."},
		"Lightning":                {pairs(text("state_dict"), two("model.")), "state_dict", "model."},
		"DataParallel twice":       {two("module.module."), "", "module.module."},
		"under another key":        {pairs(text("epoch"), integer(3), text("net"), two("")), "net", ""},
		"no wrapper":               {two(""), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := opened(t, row.object)
			shapes := f.Shapes()
			if len(shapes) != 2 || shapes["a.w"] == nil || shapes["b"] == nil {
				t.Errorf("shapes %v", shapes)
			}
			if f.Key != row.key || f.Prefix != row.prefix {
				t.Errorf("under %q without %q", f.Key, f.Prefix)
			}
		})
	}
	_, err := Open(save(t, pairs(text("net"), pairs(text("a"), whole()), text("ema"), pairs(text("a"), whole()))))
	if err == nil || !strings.Contains(err.Error(), `["net" "ema"]`) {
		t.Errorf("two dictionaries: %v", err)
	}
}
