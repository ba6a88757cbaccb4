package avfile

import "mindflow/pipeline"

// orientation is one of the eight ways in which a picture can be stored. Transposing comes before the flips.
type orientation struct {
	transpose    bool // rows become columns
	flipX, flipY bool // left becomes right; top becomes bottom
}

// orienter puts pictures upright. It keeps the memory of the results.
type orienter struct {
	planes [3][]byte
	pixels [][3]byte
}

// frame puts f upright. Its planes are then the orienter's, valid until the next call.
func (r *orienter) frame(f *pipeline.Frame, o orientation) {
	if o == (orientation{}) {
		return
	}
	w, h, cw, ch := f.Width, f.Height, (f.Width+1)/2, (f.Height+1)/2
	f.Y = orient(&r.planes[0], f.Y, f.YStride, w, h, o)
	f.U = orient(&r.planes[1], f.U, f.CStride, cw, ch, o)
	f.V = orient(&r.planes[2], f.V, f.CStride, cw, ch, o)
	f.YStride, f.CStride = w, cw
	if o.transpose {
		f.Width, f.Height = h, w
		f.YStride, f.CStride = h, ch
	}
}

// orient copies w by h samples to memory, in squares that fit into the processor's cache.
func orient[T byte | [3]byte](memory *[]T, from []T, stride, w, h int, o orientation) []T {
	const side = 32
	if cap(*memory) < w*h {
		*memory = make([]T, w*h)
	}
	to := (*memory)[:w*h]
	// Sample (x, y) goes to origin + x*across + y*down.
	wide, high := w, h
	if o.transpose {
		wide, high = h, w
	}
	origin, right, below := 0, 1, wide
	if o.flipX {
		origin, right = wide-1, -1
	}
	if o.flipY {
		origin, below = origin+(high-1)*wide, -wide
	}
	across, down := right, below
	if o.transpose {
		across, down = below, right
	}
	for top := 0; top < h; top += side {
		for left := 0; left < w; left += side {
			for y := top; y < min(top+side, h); y++ {
				at := origin + left*across + y*down
				for _, v := range from[y*stride+left : y*stride+min(left+side, w)] {
					to[at] = v
					at += across
				}
			}
		}
	}
	return to
}
