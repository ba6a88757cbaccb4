package checkpoint

import (
	"encoding/binary"
	"fmt"
	"math"
)

// kind is a number type of a storage. For a type that cannot hold weights, float is nil and word names it in errors.
type kind struct {
	size  int // bytes
	float func([]byte) float32
	word  string
}

// kinds are the storage classes of torch.
var kinds = map[string]kind{
	"torch.FloatStorage": {4, func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) },
		""},
	"torch.DoubleStorage": {8, func(b []byte) float32 {
		return float32(math.Float64frombits(binary.LittleEndian.Uint64(b)))
	}, ""},
	"torch.HalfStorage": {2, func(b []byte) float32 { return half(binary.LittleEndian.Uint16(b)) }, ""},
	"torch.BFloat16Storage": {2, func(b []byte) float32 {
		return math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16)
	}, ""},
	"torch.LongStorage": {8, nil, "integers"}, "torch.IntStorage": {4, nil, "integers"},
	"torch.ShortStorage": {2, nil, "integers"},
	"torch.CharStorage":  {1, nil, "integers"}, "torch.ByteStorage": {1, nil, "integers"},
	"torch.BoolStorage":          {1, nil, "truth values"},
	"torch.ComplexFloatStorage":  {8, nil, "complex numbers"},
	"torch.ComplexDoubleStorage": {16, nil, "complex numbers"},
}

// half returns the IEEE 754 binary16 number of these bits.
func half(bits uint16) float32 {
	fraction, exponent := float64(bits&0x3ff), int(bits>>10&0x1f)
	v := math.Ldexp(1024+fraction, exponent-25)
	switch {
	case exponent == 0:
		v = math.Ldexp(fraction, -24)
	case exponent == 31 && fraction == 0:
		v = math.Inf(1)
	case exponent == 31:
		v = math.NaN()
	}
	if bits&0x8000 != 0 {
		v = -v
	}
	return float32(v)
}

// The bounds, in values unless noted. The largest tensor of a DAN with four heads has 2,359,296, all together 20
// million.
const (
	maxStorage = 1 << 30
	maxSpan    = 1 << 25 // of one storage that are read, and of one tensor
	maxRead    = 1 << 26 // of all tensors together
	maxBytes   = 1 << 30 // bytes of all storages that are read; a small compressed file can expand to many
)

// extent returns how many values the tensor has, and how many values of its storage they span.
func (v *view) extent() (count, span int, err error) {
	stored := v.storage.count
	fault := func() error {
		return fmt.Errorf("size %v with strides %v at %d does not fit its storage of %d values", v.shape, v.strides,
			v.offset, stored)
	}
	if len(v.shape) != len(v.strides) || v.offset < 0 || v.offset >= stored || stored > maxStorage {
		return 0, 0, fault()
	}
	count, span = 1, 1
	for i, n := range v.shape {
		// Each is at most 2^30 here, so that no product overflows 64 bits.
		if n < 1 || n > maxSpan || v.strides[i] < 0 || v.strides[i] > stored {
			return 0, 0, fault()
		}
		count *= n
		span += (n - 1) * v.strides[i]
		if v.offset+span > stored {
			return 0, 0, fault()
		}
		if count > maxSpan || span > maxSpan {
			return 0, 0, fmt.Errorf("size %v is beyond %d values", v.shape, maxSpan)
		}
	}
	return count, span, nil
}

// gather picks the tensor's values, count of them, out of bytes that begin with its span, in row-major order.
func (v *view) gather(raw []byte, count int) []float32 {
	size, float := v.storage.kind.size, v.storage.kind.float
	data := make([]float32, count)
	index := make([]int, len(v.shape))
	at := 0
	for k := range data {
		data[k] = float(raw[at*size:])
		for axis := len(index) - 1; axis >= 0; axis-- {
			index[axis]++
			at += v.strides[axis]
			if index[axis] < v.shape[axis] {
				break
			}
			at -= index[axis] * v.strides[axis]
			index[axis] = 0
		}
	}
	return data
}
