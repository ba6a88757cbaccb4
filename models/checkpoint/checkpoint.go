// Package checkpoint reads the weights in a file that PyTorch's torch.save wrote, in the zip format and in
// the one before 1.6. It trusts nothing in the file: no name in it is run, no length is believed before
// its bytes are there, no member is unpacked to disk, and memory and work stay bounded (see maxPickle and
// maxSpan).
package checkpoint

import (
	"bytes"
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
	Format string // for people: which of PyTorch's formats it is
	path   string
	close  func() error
	views  map[string]*view
	others map[string]*view                      // of numbers that are no floats
	open   func(*storage) (io.ReadCloser, error) // the bytes of a storage
}

// Open reads what tensors the state dict in a file holds, not yet their values. The state dict is what
// the file holds, or stands in it under "model_state_dict" or "state_dict". Its entries that are no
// tensors are left out, and so is the prefix "module." that DataParallel gives to all names. The error is
// one line.
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
	case bytes.HasPrefix(begin[:n], legacyMagic):
		f.Format = "PyTorch's format before 1.6"
		content, f.open, err = readLegacy(file, size)
	case n > 262 && string(begin[257:262]) == "ustar":
		err = errors.New("a tar archive, as PyTorch before 0.1.10 wrote them; load it there and save it again with " +
			"a newer one")
	default:
		err = errors.New("neither a zip archive nor of PyTorch's older format: not a file that torch.save wrote, or " +
			"cut off at its beginning")
	}
	if err == nil {
		f.views, f.others, err = tensors(content)
	}
	return err
}

// tensors finds the state dict and the tensors in it, those of floats and the others.
func tensors(content any) (views, others map[string]*view, err error) {
	d, ok := content.(*dict)
	if !ok {
		return nil, nil, fmt.Errorf("it holds %s, not a state dict; save the weights alone: "+
			"torch.save(model.state_dict(), FILE)", describe(content))
	}
	for _, key := range []string{"model_state_dict", "state_dict"} {
		value := d.get(key)
		if found, ok := value.(*dict); ok {
			d = found
			break
		}
		if called(value) {
			return nil, nil, notRun(key, value)
		}
	}
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
			"or under model_state_dict or state_dict", strings.Join(keys, ", "))
	}
	views, others = unwrapped(views, others)
	return views, others, nil
}

// called says whether the value is what a function would give that is not known here.
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

// unwrapped drops what DataParallel puts before all names.
func unwrapped(views, others map[string]*view) (shortViews, shortOthers map[string]*view) {
	const prefix = "module."
	for key := range views {
		if !strings.HasPrefix(key, prefix) {
			return views, others
		}
	}
	short := func(long map[string]*view) map[string]*view {
		m := map[string]*view{}
		for key, v := range long {
			m[strings.TrimPrefix(key, prefix)] = v
		}
		return m
	}
	return short(views), short(others)
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
