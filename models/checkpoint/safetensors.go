package checkpoint

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
)

// maxHeader bounds the header of a safetensors file, in bytes. A DAN's has 30 kB.
const maxHeader = 8 << 20

// safeKinds are the number types of the safetensors format.
var safeKinds = map[string]string{
	"F32": "torch.FloatStorage", "F64": "torch.DoubleStorage", "F16": "torch.HalfStorage",
	"BF16": "torch.BFloat16Storage", "I64": "torch.LongStorage", "I32": "torch.IntStorage",
	"I16": "torch.ShortStorage", "I8": "torch.CharStorage", "U8": "torch.ByteStorage", "BOOL": "torch.BoolStorage",
}

// safeTensor is an entry of the header: where the values lie, in bytes after the header, in row-major order.
type safeTensor struct {
	Type    string   `json:"dtype"`
	Shape   []int    `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// readSafetensors reads that format (huggingface/safetensors, README): the header's length in 8 bytes, at most
// maxHeader, the header in JSON, the values.
func readSafetensors(file io.ReaderAt, size int64) (
	content any, open func(*storage) (io.ReadCloser, error), err error,
) {
	var length [8]byte
	if _, err := file.ReadAt(length[:], 0); err != nil {
		return nil, nil, cutOff(err)
	}
	n := binary.LittleEndian.Uint64(length[:])
	text := make([]byte, min(n, maxHeader))
	if _, err := file.ReadAt(text, 8); err != nil {
		return nil, nil, cutOff(err)
	}
	var header map[string]json.RawMessage
	if err := json.Unmarshal(text, &header); err != nil {
		return nil, nil, errors.New("its header is no JSON: the file is damaged")
	}
	delete(header, "__metadata__")
	begin := int64(8 + n)
	places, d := map[string]int64{}, &dict{}
	for _, name := range slices.Sorted(maps.Keys(header)) {
		var t safeTensor
		if err := json.Unmarshal(header[name], &t); err != nil {
			return nil, nil, fmt.Errorf("its tensor %.80q is not described as the format wants", name)
		}
		v, err := t.view(name)
		if err != nil {
			return nil, nil, fmt.Errorf("its tensor %.80q: %w", name, err)
		}
		if t.Offsets[1] > size-begin {
			return nil, nil, cutOff(io.EOF)
		}
		places[name] = begin + t.Offsets[0]
		if err := d.set([]any{name, v}); err != nil {
			return nil, nil, err
		}
	}
	open = func(s *storage) (io.ReadCloser, error) {
		return io.NopCloser(io.NewSectionReader(file, places[s.key], int64(s.count)*int64(s.kind.size))), nil
	}
	return d, open, nil
}

// view returns the tensor as one whole storage.
func (t safeTensor) view(name string) (*view, error) {
	class, ok := safeKinds[t.Type]
	if !ok {
		return nil, fmt.Errorf("the number type %.20q is not known; save it as F32", t.Type)
	}
	count, strides := 1, make([]int, len(t.Shape))
	for i, n := range slices.Backward(t.Shape) {
		if n < 1 || n > maxSpan || count > maxSpan {
			return nil, fmt.Errorf("size %v is beyond %d values", t.Shape, maxSpan)
		}
		strides[i] = count
		count *= n
	}
	k := kinds[class]
	if t.Offsets[0] < 0 || t.Offsets[1]-t.Offsets[0] != int64(count)*int64(k.size) {
		return nil, fmt.Errorf("size %v does not fit its %d bytes", t.Shape, t.Offsets[1]-t.Offsets[0])
	}
	return &view{storage: &storage{key: name, kind: k, count: count}, shape: t.Shape, strides: strides}, nil
}
