package pipeline

// Sampler converts a region of a frame into a network's input tensor, straight from the I420 planes. It has scratch
// memory, so each goroutine needs its own. After the first call for a size of frame it allocates nothing.
type Sampler struct {
	in      Input
	w, h    int // of the tensor
	planes  [3]resampler
	samples [3][]float32 // Y, U, V at the tensor's resolution
}

// NewSampler returns a sampler for the input of a network.
func NewSampler(in Input) *Sampler { return &Sampler{in: in} }

// Fit is the rectangle of the tensor that Letterbox filled with the frame, in tensor pixels.
type Fit struct{ X, Y, W, H float32 }

// Region is a rectangle of a frame in luma pixels. It may extend beyond the frame.
type Region struct{ X, Y, W, H float32 }

// Letterbox fills dst with the whole frame, aspect ratio kept, centred on black. In the tensor of a dynamic network, of
// Input.TensorSize, the frame is in the top left corner instead.
func (s *Sampler) Letterbox(dst Crop, f *Frame) Fit {
	s.w, s.h = s.in.TensorSize(f)
	w, h := s.in.fitted(f)
	x, y := (s.w-w)/2, (s.h-h)/2
	if s.in.Dynamic {
		x, y = 0, 0
	}
	if w*h < s.w*s.h {
		s.black(dst)
	}
	s.sample(dst, f, Region{0, 0, float32(f.Width), float32(f.Height)}, x, y, w, h)
	return Fit{float32(x), float32(y), float32(w), float32(h)}
}

// TensorSize returns the width and height of the tensor for the whole of f: Size by Size, or for a dynamic network
// those of the frame, at most Size long, rounded up to a multiple of dynamicStep.
func (in Input) TensorSize(f *Frame) (w, h int) {
	if !in.Dynamic {
		return in.Size, in.Size
	}
	w, h = in.fitted(f)
	return (w + dynamicStep - 1) / dynamicStep * dynamicStep, (h + dynamicStep - 1) / dynamicStep * dynamicStep
}

// dynamicStep divides the sides of a dynamic network's tensor. It is the longest stride of the supported networks.
const dynamicStep = 32

// fitted returns the size of f in the tensor, aspect ratio kept. The frames of a dynamic network are not enlarged.
func (in Input) fitted(f *Frame) (w, h int) {
	size := in.Size
	if in.Dynamic {
		size = min(size, max(f.Width, f.Height))
	}
	if f.Width > f.Height {
		return size, max(1, (size*f.Height+f.Width/2)/f.Width)
	}
	return max(1, (size*f.Width+f.Height/2)/f.Height), size
}

// Crop fills dst with the region. Pixels outside the frame repeat its edge.
func (s *Sampler) Crop(dst Crop, f *Frame, r Region) {
	s.w, s.h = s.in.Size, s.in.Size
	s.sample(dst, f, r, 0, 0, s.w, s.h)
}

// sample resamples r to w by h and writes it at (x, y) of the tensor.
func (s *Sampler) sample(dst Crop, f *Frame, r Region, x, y, w, h int) {
	s.resample(0, f.Y, f.YStride, f.Width, f.Height, r, w, h)
	if s.in.Colour == Grey {
		if s.in.Bytes {
			s.writeGreyBytes(dst.Bytes, f, x, y, w, h)
		} else {
			s.writeGrey(dst.Values, f, x, y, w, h)
		}
		return
	}
	half := Region{r.X / 2, r.Y / 2, r.W / 2, r.H / 2}
	s.resample(1, f.U, f.CStride, (f.Width+1)/2, (f.Height+1)/2, half, w, h)
	s.resample(2, f.V, f.CStride, (f.Width+1)/2, (f.Height+1)/2, half, w, h)
	if s.in.Bytes {
		s.writeColourBytes(dst.Bytes, f, x, y, w, h)
	} else {
		s.writeColour(dst.Values, f, x, y, w, h)
	}
}

func (s *Sampler) resample(plane int, src []byte, stride, sw, sh int, r Region, w, h int) {
	s.samples[plane] = grow(s.samples[plane], w*h)
	s.planes[plane].plane(s.samples[plane], w, h, src, stride, sw, sh, r.X, r.Y, r.W, r.H, s.in.Filter)
}

func (s *Sampler) writeGrey(dst []float32, f *Frame, x, y, w, h int) {
	gain, base := f.lumaRange()
	for j := range h {
		for i := range w {
			v := clampByte((s.samples[0][j*w+i] - base) * gain)
			for c := range s.in.Channels {
				dst[s.index(c, x+i, y+j)] = s.normalise(c, v)
			}
		}
	}
}

func (s *Sampler) writeColour(dst []float32, f *Frame, x, y, w, h int) {
	gain, base := f.lumaRange()
	m := f.chromaMatrix()
	red, blue := 0, 2
	if s.in.Colour == BGR {
		red, blue = 2, 0
	}
	plane, step := s.strides()
	var scale, offset [3]float32
	for c := range 3 {
		scale[c], offset[c] = s.in.Scale/s.in.Std[c], -s.in.Mean[c]/s.in.Std[c]
	}
	for j := range h {
		at := s.index(0, x, y+j)
		for i := range w {
			k := j*w + i
			luma := (s.samples[0][k] - base) * gain
			u, v := s.samples[1][k]-128, s.samples[2][k]-128
			dst[at+red*plane] = clampByte(luma+m.rv*v)*scale[red] + offset[red]
			dst[at+plane] = clampByte(luma+m.gu*u+m.gv*v)*scale[1] + offset[1]
			dst[at+blue*plane] = clampByte(luma+m.bu*u)*scale[blue] + offset[blue]
			at += step
		}
	}
}

// black fills the tensor with the values of a black picture.
func (s *Sampler) black(dst Crop) {
	clear(dst.Bytes)
	if s.in.Bytes {
		return
	}
	plane, step := s.strides()
	for c := range s.in.Channels {
		v := s.normalise(c, 0)
		for i := range s.w * s.h {
			dst.Values[c*plane+i*step] = v
		}
	}
}

func (s *Sampler) normalise(c int, v float32) float32 {
	return (v*s.in.Scale - s.in.Mean[c]) / s.in.Std[c]
}

// strides returns the distances of neighbouring channels and pixels in the tensor.
func (s *Sampler) strides() (plane, step int) {
	if s.in.Layout == NHWC {
		return 1, s.in.Channels
	}
	return s.w * s.h, 1
}

func (s *Sampler) index(c, x, y int) int {
	plane, step := s.strides()
	return c*plane + (y*s.w+x)*step
}

// lumaRange maps luma samples to 0..255: (y − base)·gain.
func (f *Frame) lumaRange() (gain, base float32) {
	if f.FullRange {
		return 1, 0
	}
	return 255.0 / 219, 16
}

// chromaMatrix holds the weights of U and V in red, green and blue.
type chromaMatrix struct{ rv, gu, gv, bu float32 }

// chromaMatrix returns the YCbCr to RGB matrix of ITU-R BT.601 or BT.709, chroma range included.
func (f *Frame) chromaMatrix() chromaMatrix {
	m := chromaMatrix{rv: 1.402, gu: -0.344136, gv: -0.714136, bu: 1.772}
	if f.BT709 {
		m = chromaMatrix{rv: 1.5748, gu: -0.187324, gv: -0.468124, bu: 1.8556}
	}
	if !f.FullRange {
		const k = 255.0 / 224
		m = chromaMatrix{m.rv * k, m.gu * k, m.gv * k, m.bu * k}
	}
	return m
}

func clampByte(v float32) float32 { return max(0, min(v, 255)) }
