package avfile

import "mindflow/pipeline"

// rotator rotates frames clockwise. It keeps the memory of the results.
type rotator struct {
	quarters int
	planes   [3][]byte
}

// frame rotates f, whose planes are then the rotator's, valid until the next call.
func (r *rotator) frame(f *pipeline.Frame) {
	if r.quarters == 0 {
		return
	}
	w, h, cw, ch := f.Width, f.Height, (f.Width+1)/2, (f.Height+1)/2
	f.Y = r.plane(0, f.Y, f.YStride, w, h)
	f.U = r.plane(1, f.U, f.CStride, cw, ch)
	f.V = r.plane(2, f.V, f.CStride, cw, ch)
	f.YStride, f.CStride = w, cw
	if r.quarters%2 == 1 {
		f.Width, f.Height = h, w
		f.YStride, f.CStride = h, ch
	}
}

// plane rotates w by h samples, in squares that fit into the processor's cache.
func (r *rotator) plane(n int, from []byte, stride, w, h int) []byte {
	const side = 32
	if cap(r.planes[n]) < w*h {
		r.planes[n] = make([]byte, w*h)
	}
	to := r.planes[n][:w*h]
	// Sample (x, y) goes to origin + x*across + y*down.
	origin, across, down := h-1, h, -1
	switch r.quarters {
	case 2:
		origin, across, down = w*h-1, -1, -w
	case 3:
		origin, across, down = (w-1)*h, -h, 1
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
