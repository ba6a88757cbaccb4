package avfile

import "mindflow/pipeline"

// turner turns frames to the right. It keeps the memory that they are turned into.
type turner struct {
	quarters int
	planes   [3][]byte
}

// frame turns f, whose planes are then the turner's until the next call.
func (t *turner) frame(f *pipeline.Frame) {
	if t.quarters == 0 {
		return
	}
	w, h, cw, ch := f.Width, f.Height, (f.Width+1)/2, (f.Height+1)/2
	f.Y = t.plane(0, f.Y, f.YStride, w, h)
	f.U = t.plane(1, f.U, f.CStride, cw, ch)
	f.V = t.plane(2, f.V, f.CStride, cw, ch)
	f.YStride, f.CStride = w, cw
	if t.quarters%2 == 1 {
		f.Width, f.Height = h, w
		f.YStride, f.CStride = h, ch
	}
}

// plane turns w by h samples, in squares that fit into the processor's nearest memory.
func (t *turner) plane(n int, from []byte, stride, w, h int) []byte {
	const side = 32
	if cap(t.planes[n]) < w*h {
		t.planes[n] = make([]byte, w*h)
	}
	to := t.planes[n][:w*h]
	// Sample (x, y) goes to origin + x*across + y*down.
	origin, across, down := h-1, h, -1
	switch t.quarters {
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
