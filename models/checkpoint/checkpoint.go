// Package checkpoint reads the weights in a file that PyTorch's torch.save wrote.
package checkpoint

import (
	"fmt"

	"github.com/nlpodyssey/gopickle/pytorch"
	"github.com/nlpodyssey/gopickle/types"
)

// Tensor holds values in row-major order: the last axis varies fastest.
type Tensor struct {
	Shape []int // empty for a single value
	Data  []float32
}

// Read returns the floating point tensors of a state dict by name; integer ones, which count training
// steps, are left out. The state dict is what the file holds, or stands in it under
// "model_state_dict" or "state_dict".
func Read(path string) (tensors map[string]Tensor, err error) {
	defer func() { // gopickle panics on archive forms that it does not know
		if p := recover(); p != nil {
			err = fmt.Errorf("read checkpoint %s: %v", path, p)
		}
	}()
	content, err := pytorch.Load(path)
	if err != nil {
		return nil, fmt.Errorf("read checkpoint %s: %w", path, err)
	}
	tensors = map[string]Tensor{}
	err = each(stateDict(content), func(name string, value any) error {
		t, ok := value.(*pytorch.Tensor)
		if !ok {
			return fmt.Errorf("%q is a %T, not a tensor", name, value)
		}
		values, ok := floats(t.Source)
		if !ok {
			return nil
		}
		data, err := gather(values, t)
		if err != nil {
			return fmt.Errorf("tensor %q: %w", name, err)
		}
		tensors[name] = Tensor{t.Size, data}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read checkpoint %s: %w", path, err)
	}
	if len(tensors) == 0 {
		return nil, fmt.Errorf("read checkpoint %s: no tensors found; it should hold a state dict, at the top or under model_state_dict or state_dict", path)
	}
	return tensors, nil
}

// stateDict looks one level down for the keys under which training scripts store the weights.
func stateDict(content any) any {
	for _, key := range []string{"model_state_dict", "state_dict"} {
		var found any
		switch d := content.(type) {
		case *types.Dict:
			found, _ = d.Get(key)
		case *types.OrderedDict:
			found, _ = d.Get(key)
		}
		if found != nil {
			return found
		}
	}
	return content
}

// each calls f with the entries of a Python dict, in its order.
func each(dict any, f func(name string, value any) error) error {
	call := func(key, value any) error {
		name, ok := key.(string)
		if !ok {
			return fmt.Errorf("key %v of the state dict is not a string", key)
		}
		return f(name, value)
	}
	switch d := dict.(type) {
	case *types.Dict:
		for _, e := range *d {
			if err := call(e.Key, e.Value); err != nil {
				return err
			}
		}
	case *types.OrderedDict:
		for e := d.List.Front(); e != nil; e = e.Next() {
			entry := e.Value.(*types.OrderedDictEntry)
			if err := call(entry.Key, entry.Value); err != nil {
				return err
			}
		}
	default:
		return fmt.Errorf("the file holds a %T, not a state dict", dict)
	}
	return nil
}

func floats(s pytorch.StorageInterface) (values []float32, ok bool) {
	switch s := s.(type) {
	case *pytorch.FloatStorage:
		return s.Data, true
	case *pytorch.HalfStorage:
		return s.Data, true
	case *pytorch.BFloat16Storage:
		return s.Data, true
	case *pytorch.DoubleStorage:
		values = make([]float32, len(s.Data))
		for i, v := range s.Data {
			values[i] = float32(v)
		}
		return values, true
	}
	return nil, false
}

// gather copies a view of a storage into row-major order, after checking that it stays inside.
func gather(storage []float32, t *pytorch.Tensor) ([]float32, error) {
	if len(t.Size) != len(t.Stride) {
		return nil, fmt.Errorf("%d sizes but %d strides", len(t.Size), len(t.Stride))
	}
	count, last := 1, t.StorageOffset
	for i, n := range t.Size {
		if n < 1 || t.Stride[i] < 0 || n > len(storage) || t.Stride[i] > len(storage) {
			return nil, fmt.Errorf("size %v with strides %v does not fit its storage of %d values", t.Size, t.Stride, len(storage))
		}
		count *= n
		last += (n - 1) * t.Stride[i]
		if count > len(storage) || last >= len(storage) {
			return nil, fmt.Errorf("size %v with strides %v does not fit its storage of %d values", t.Size, t.Stride, len(storage))
		}
	}
	if t.StorageOffset < 0 || last >= len(storage) {
		return nil, fmt.Errorf("offset %d lies outside its storage of %d values", t.StorageOffset, len(storage))
	}
	data := make([]float32, count)
	index := make([]int, len(t.Size))
	at := t.StorageOffset
	for k := range data {
		data[k] = storage[at]
		for axis := len(index) - 1; axis >= 0; axis-- {
			index[axis]++
			at += t.Stride[axis]
			if index[axis] < t.Size[axis] {
				break
			}
			at -= index[axis] * t.Stride[axis]
			index[axis] = 0
		}
	}
	return data, nil
}
