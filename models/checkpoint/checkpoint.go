// Package checkpoint reads the weights in a file that PyTorch's torch.save wrote, in the zip format and in the one
// before 1.6, or in a file of the safetensors format. It trusts nothing in the file: no name in it is run, no length is
// believed before its bytes are there, no member is unpacked to disk, and memory and work stay bounded (see maxPickle
// and maxSpan).
package checkpoint

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// Tensor holds values in row-major order: the last axis varies fastest.
type Tensor struct {
	Shape []int // empty for a single value
	Data  []float32
}

// File is an open checkpoint.
type File struct {
	Format string // for people: which format it is
	Key    string // of the dictionary of tensors in the file; empty if that is the file's whole content
	Prefix string // of all names in the file, which Shapes and Read leave out
	path   string
	close  func() error
	views  map[string]*view
	others map[string]*view                      // of numbers that are no floats
	open   func(*storage) (io.ReadCloser, error) // the bytes of a storage
}

// Open reads what tensors the state dict in a file holds, not yet their values. The state dict is what the file holds,
// or stands in it under "model_state_dict" or "state_dict", or is the only dictionary of tensors in it. Its entries
// that are no tensors are left out. So is a prefix that all names have, such as "module." of DataParallel, "_orig_mod."
// of torch.compile or "model." of Lightning. The error is one line.
func Open(path string) (*File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read checkpoint: %w", err)
	}
	f := &File{path: path, close: file.Close}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a file")
	}
	if err == nil {
		err = f.parse(file, info.Size())
	}
	if err != nil {
		err = fmt.Errorf("read checkpoint %s: %w", path, err)
		if failed := file.Close(); failed != nil {
			err = errors.Join(err, failed)
		}
		return nil, err
	}
	return f, nil
}

// Close closes the file.
func (f *File) Close() error { return f.close() }

func (f *File) parse(file io.ReaderAt, size int64) error {
	var begin [512]byte
	n, err := file.ReadAt(begin[:], 0)
	if err != nil && err != io.EOF {
		return err
	}
	var content any
	switch {
	case bytes.HasPrefix(begin[:n], []byte("PK\x03\x04")):
		f.Format = "PyTorch's zip format"
		content, f.open, err = readZip(file, size)
	case legacyStart(begin[:n]) > 0:
		f.Format = "PyTorch's format before 1.6"
		content, f.open, err = readLegacy(file, size, legacyStart(begin[:n]))
	case n > 9 && begin[8] == '{' && binary.LittleEndian.Uint64(begin[:]) <= maxHeader:
		f.Format = "the safetensors format"
		content, f.open, err = readSafetensors(file, size)
	default:
		err = errors.New(foreign(begin[:n]))
	}
	if err != nil {
		return err
	}
	d, ok := content.(*dict)
	if !ok {
		return fmt.Errorf("it holds %s, not a state dict; save the weights alone: "+
			"torch.save(model.state_dict(), FILE)", describe(content))
	}
	if d, f.Key, err = stateDict(d); err != nil {
		return err
	}
	f.views, f.others, err = tensors(d)
	if err == nil {
		f.Prefix = commonPrefix(slices.Collect(maps.Keys(f.views)))
		f.views, f.others = without(f.Prefix, f.views), without(f.Prefix, f.others)
	}
	return err
}

// stateDict finds the dictionary of tensors in d: under one of two customary keys, or d itself, or the only one that d
// holds. It returns its key, empty for d itself.
func stateDict(d *dict) (*dict, string, error) {
	for _, key := range []string{"model_state_dict", "state_dict"} {
		value := d.get(key)
		if found, ok := value.(*dict); ok {
			return found, key, nil
		}
		if called(value) {
			return nil, "", notRun(key, value)
		}
	}
	var found *dict
	var keys []string
	for _, e := range d.entries {
		inner, ok := e.value.(*dict)
		key, named := e.key.(string)
		switch {
		case holdsTensor(e):
			return d, "", nil
		case ok && named && slices.ContainsFunc(inner.entries, holdsTensor):
			found = inner
			keys = append(keys, key)
		}
	}
	switch len(keys) {
	case 0:
		return d, "", nil
	case 1:
		return found, keys[0], nil
	}
	return nil, "", fmt.Errorf("it holds several dictionaries of tensors, under %.200q; save one of them alone: "+
		"torch.save(torch.load(FILE)[%.40q], OTHER)", keys, keys[0])
}

// holdsTensor reports whether an entry is a named tensor.
func holdsTensor(e entry) bool {
	_, named := e.key.(string)
	_, isView := e.value.(*view)
	return named && isView
}

// tensors returns the tensors in a state dict, those of floats and the others.
func tensors(d *dict) (views, others map[string]*view, err error) {
	views, others = map[string]*view{}, map[string]*view{}
	var keys []string
	for _, e := range d.entries {
		key, ok := e.key.(string)
		v, isView := e.value.(*view)
		switch {
		case ok && isView && v.storage.kind.float != nil:
			views[key] = v
		case ok && called(e.value):
			return nil, nil, notRun(key, e.value)
		case ok && isView:
			others[key] = v
		case ok && len(keys) < 8:
			keys = append(keys, fmt.Sprintf("%.40q", key))
		}
	}
	if len(views) == 0 {
		for _, key := range slices.Sorted(maps.Keys(others)) {
			return nil, nil, fmt.Errorf("no tensors of floats found; %.40q holds %s", key,
				others[key].storage.kind.word)
		}
		return nil, nil, fmt.Errorf("no tensors found (its keys are: %s); it should hold a state dict, at the top "+
			"or under one key", strings.Join(keys, ", "))
	}
	return views, others, nil
}

// called reports whether the value is the result of a call that is not known here.
func called(value any) bool {
	o, ok := value.(opaque)
	return ok && o.called
}

// notRun is the fault of a called value among the weights. It may be an attack on those who load the file
// in Python.
func notRun(key string, value any) error {
	return fmt.Errorf("its %.40q is %s: no weights. Save them alone, torch.save(model.state_dict(), FILE), unless "+
		"you do not trust the file", key, describe(value))
}

func (d *dict) get(key string) (value any) {
	for _, e := range d.entries {
		if k, ok := e.key.(string); ok && k == key {
			value = e.value
		}
	}
	return value
}

// commonPrefix returns the longest prefix that all names have and that ends with a dot.
func commonPrefix(names []string) string {
	prefix := slices.Min(names)
	for _, name := range names {
		for !strings.HasPrefix(name, prefix) {
			prefix = prefix[:len(prefix)-1]
		}
	}
	return prefix[:strings.LastIndexByte(prefix, '.')+1]
}

// without returns the tensors with the prefix taken off their names, where they have it.
func without(prefix string, long map[string]*view) map[string]*view {
	short := map[string]*view{}
	for name, v := range long {
		short[strings.TrimPrefix(name, prefix)] = v
	}
	return short
}

// Shapes gives the shape of each tensor of floats by name.
func (f *File) Shapes() map[string][]int {
	shapes := map[string][]int{}
	for name, v := range f.views {
		shapes[name] = v.shape
	}
	return shapes
}

// Unfit names the tensors that hold no floats, and says what they hold: such as the integers that count
// training steps. Shapes and Read leave them out.
func (f *File) Unfit() map[string]string {
	words := map[string]string{}
	for name, v := range f.others {
		words[name] = v.storage.kind.word
	}
	return words
}
