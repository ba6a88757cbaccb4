package pipeline

import "math"

// MaxAttention is the largest number of values of an AttentionView, over all heads. It keeps messages small.
const MaxAttention = 1024

// AttentionView is Attention as sent in messages: web/PROTOCOL.md, "attention".
type AttentionView struct {
	Heads  int          `json:"heads"`
	Width  int          `json:"width"` // of one head's map
	Height int          `json:"height"`
	Region [4]float32   `json:"region"` // what the maps cover: x, y, width, height in fractions of the frame
	Ranges [][2]float32 `json:"ranges"` // for each head, the network's values at 0 and at 255
	Data   []byte       `json:"data"`   // 0..255, head by head, row by row
}

// viewAttention scales each head to its own range. It returns nil without maps, and for values that are not finite.
func viewAttention(a Attention, r Region, f *Frame) *AttentionView {
	if len(a.Values) == 0 {
		return nil
	}
	w, h := float32(f.Width), float32(f.Height)
	v := &AttentionView{
		Heads: a.Heads, Width: a.Width, Height: a.Height,
		Region: [4]float32{r.X / w, r.Y / h, r.W / w, r.H / h},
		Data:   make([]byte, len(a.Values)),
	}
	each := a.Width * a.Height
	for head := range a.Heads {
		low, high, ok := scaleToBytes(v.Data[head*each:], a.Values[head*each:(head+1)*each])
		if !ok {
			return nil
		}
		v.Ranges = append(v.Ranges, [2]float32{low, high})
	}
	return v
}

// scaleToBytes maps values from their least to their greatest onto 0..255, and onto 0 where all are equal. ok is false
// for values that are not finite.
func scaleToBytes(dst []byte, values []float32) (low, high float32, ok bool) {
	low, high = values[0], values[0]
	for _, v := range values {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return 0, 0, false
		}
		low, high = min(low, v), max(high, v)
	}
	span := float64(high) - float64(low)
	for i, v := range values {
		if span > 0 {
			dst[i] = byte(math.Round(255 * (float64(v) - float64(low)) / span))
		}
	}
	return low, high, true
}
