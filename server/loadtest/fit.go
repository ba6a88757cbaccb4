package loadtest

import "mindflow/pipeline"

// fit scales src into the middle of dst, of width by height pixels, and fills the rest with black. When it shrinks src,
// a sample is the mean of those that it covers; otherwise it is the nearest. Sides are even.
func fit(dst, src *pipeline.Frame, width, height int) {
	w, h := width, src.Height*width/src.Width
	if h > height {
		w, h = src.Width*height/src.Height, height
	}
	w, h = max(2, w&^1), max(2, h&^1)
	x, y := (width-w)/2&^1, (height-h)/2&^1
	black := byte(16)
	if src.FullRange {
		black = 0
	}
	dst.Width, dst.Height, dst.YStride, dst.CStride = width, height, width, width/2
	dst.FullRange, dst.BT709 = src.FullRange, src.BT709
	dst.Y = filled(dst.Y, width*height, black)
	dst.U, dst.V = filled(dst.U, width*height/4, 128), filled(dst.V, width*height/4, 128)

	plane{dst.Y[y*width+x:], width, w, h}.scale(plane{src.Y, src.YStride, src.Width, src.Height})
	at := y/2*dst.CStride + x/2
	cw, ch := (src.Width+1)/2, (src.Height+1)/2
	plane{dst.U[at:], dst.CStride, w / 2, h / 2}.scale(plane{src.U, src.CStride, cw, ch})
	plane{dst.V[at:], dst.CStride, w / 2, h / 2}.scale(plane{src.V, src.CStride, cw, ch})
}

func filled(b []byte, n int, value byte) []byte {
	if cap(b) < n {
		b = make([]byte, n)
	}
	b = b[:n]
	for i := range b {
		b[i] = value
	}
	return b
}

type plane struct {
	data                  []byte
	stride, width, height int
}

// scale fills the plane with src.
func (p plane) scale(src plane) {
	for y := range p.height {
		top, bottom := covered(y, p.height, src.height)
		row := p.data[y*p.stride:][:p.width]
		if p.width == src.width && bottom == top+1 {
			copy(row, src.data[top*src.stride:])
			continue
		}
		for x := range row {
			left, right := covered(x, p.width, src.width)
			sum := 0
			for i := top; i < bottom; i++ {
				for _, v := range src.data[i*src.stride+left : i*src.stride+right] {
					sum += int(v)
				}
			}
			n := (bottom - top) * (right - left)
			row[x] = byte((sum + n/2) / n)
		}
	}
}

// covered returns the source samples, first to end-1, that the i-th of n samples covers: at least one.
func covered(i, n, source int) (first, end int) {
	first = i * source / n
	return first, max(first+1, (i+1)*source/n)
}
