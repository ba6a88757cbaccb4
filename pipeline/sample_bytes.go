package pipeline

// writeGreyBytes writes the samples as bytes, one for each pixel. The network's graph does the normalisation.
func (s *Sampler) writeGreyBytes(dst []byte, f *Frame, x, y, w, h int) {
	gain, base := f.lumaRange()
	for j := range h {
		from := s.samples[0][j*w : (j+1)*w]
		to := dst[(y+j)*s.w+x:][:w]
		for i, v := range from {
			to[i] = roundByte((v - base) * gain)
		}
	}
}

// writeColourBytes writes three bytes for each pixel.
func (s *Sampler) writeColourBytes(dst []byte, f *Frame, x, y, w, h int) {
	gain, base := f.lumaRange()
	m := f.chromaMatrix()
	red, blue := 0, 2
	if s.in.Colour == BGR {
		red, blue = 2, 0
	}
	for j := range h {
		row := dst[((y+j)*s.w+x)*3:][:3*w]
		for i := range w {
			k := j*w + i
			luma := (s.samples[0][k] - base) * gain
			u, v := s.samples[1][k]-128, s.samples[2][k]-128
			to := row[3*i : 3*i+3 : 3*i+3]
			to[red] = roundByte(luma + m.rv*v)
			to[1] = roundByte(luma + m.gu*u + m.gv*v)
			to[blue] = roundByte(luma + m.bu*u)
		}
	}
}

func roundByte(v float32) byte { return byte(clampByte(v) + 0.5) }
