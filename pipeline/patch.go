package pipeline

import "math"

// Sizes of a patch, which is a face's luma, resampled to a few pixels: enough to measure how the face has moved and
// whether it has changed, and small enough to do so in every frame. The noise of cameras is averaged away.
const (
	patchSide   = 24 // of the part that is compared
	patchMargin = 4  // around it, so that a face that has moved a little is still inside
	patchWidth  = patchSide + 2*patchMargin
	patchScale  = 1.2 // side of the part that is compared, in the box's longer side

	registerSteps = 12   // at most
	registerClose = 0.02 // pixels of the patch; a shorter step is the last
)

// patch holds the samples of a square of a frame, 0..255, row by row.
type patch [patchWidth * patchWidth]float32

// patchRegion returns the square that a patch covers for the face in b.
func patchRegion(b Box, f *Frame) Region {
	return CropRule{Scale: patchScale * patchWidth / patchSide}.Region(b, f)
}

// sample fills p with the region r of f. Every second or third row is enough for a large face.
func (p *patch) sample(by *resampler, f *Frame, r Region) {
	skip := max(1, int(r.H/patchWidth/3))
	k := float32(skip)
	rows := (f.Height + skip - 1) / skip
	by.plane(p[:], patchWidth, patchWidth, f.Y, skip*f.YStride, f.Width, rows, r.X, r.Y/k, r.W, r.H/k, Area)
}

// shift is a face's motion between two patches, in pixels of the patch: of its centre, and of its edges by growth.
type shift struct{ x, y, growth float32 }

// reference is a patch that later ones are registered with, by the inverse compositional form of Lucas and Kanade's
// algorithm (Baker and Matthews, "Lucas-Kanade 20 years on", IJCV 2004, section 3.2). Its parameters are translation,
// growth and brightness; a change of brightness is no change of the face.
type reference struct {
	patch   patch
	descent [patchSide * patchSide][4]float32 // steepest descent, by parameter: x, y, growth, brightness
	inverse [4][4]float64                     // of the Hessian
	flat    bool                              // it has too little texture
}

// set makes p the reference.
func (r *reference) set(p *patch) {
	r.patch = *p
	var hessian [4][4]float64
	for j := range patchSide {
		for i := range patchSide {
			at := (j+patchMargin)*patchWidth + i + patchMargin
			gx, gy := (p[at+1]-p[at-1])/2, (p[at+patchWidth]-p[at-patchWidth])/2
			x, y := fromCentre(i), fromCentre(j)
			d := [4]float32{gx, gy, gx*x + gy*y, 1}
			r.descent[j*patchSide+i] = d
			for a := range d {
				for b := range d {
					hessian[a][b] += float64(d[a]) * float64(d[b])
				}
			}
		}
	}
	r.inverse, r.flat = invert(hessian)
}

// fromCentre returns a pixel's place in halves of the side, so that growth has the scale of translation.
func fromCentre(i int) float32 { return (float32(i) + 0.5 - patchSide/2) / (patchSide / 2) }

// register finds the shift of the face of the reference in p. residual is the mean difference that is left then, in
// grey levels, brightness aside. ok is false where the registration does not converge.
func (r *reference) register(p *patch) (s shift, residual float32, ok bool) {
	if r.flat {
		return s, 0, false
	}
	var errs differences
	for range registerSteps {
		r.compare(&errs, p, s)
		sums := r.project(&errs)
		d := multiply(&r.inverse, &sums)
		s = shift{s.x - float32(d[0]), s.y - float32(d[1]), s.growth - float32(d[2])}
		if max(abs(s.x), abs(s.y), abs(s.growth)) > patchMargin {
			return shift{}, 0, false
		}
		if max(math.Abs(d[0]), math.Abs(d[1]), math.Abs(d[2])) < registerClose {
			break
		}
	}
	r.compare(&errs, p, s)
	return s, errs.meanDeviation(), true
}

// project returns the sums of the differences, weighted by the steepest descent of each parameter.
func (r *reference) project(errs *differences) [4]float64 {
	var x, y, growth, brightness float32
	for k, e := range errs {
		d := &r.descent[k]
		x += d[0] * e
		y += d[1] * e
		growth += d[2] * e
		brightness += e
	}
	return [4]float64{float64(x), float64(y), float64(growth), float64(brightness)}
}

// differences has one element for each compared pixel.
type differences [patchSide * patchSide]float32

// compare sets to to the difference of p, moved back by s, from the reference.
func (r *reference) compare(to *differences, p *patch, s shift) {
	var columns [patchSide]position
	for i := range columns {
		columns[i] = positionOf(i, s.x, s.growth)
	}
	for j := range patchSide {
		row := positionOf(j, s.y, s.growth)
		top := p[row.first*patchWidth : (row.first+1)*patchWidth]
		bottom := p[(row.first+1)*patchWidth : (row.first+2)*patchWidth]
		own := r.patch[(j+patchMargin)*patchWidth+patchMargin:][:patchSide]
		out := to[j*patchSide:][:patchSide]
		for i, c := range columns {
			k := c.first & (patchWidth - 1) // the same value; the compiler then needs no bounds check
			above := top[k] + c.part*(top[k+1]-top[k])
			below := bottom[k] + c.part*(bottom[k+1]-bottom[k])
			out[i] = above + row.part*(below-above) - own[i]
		}
	}
}

// position is a place between two samples along one axis.
type position struct {
	first int     // at most patchWidth-2
	part  float32 // of the way to the next, 0..1
}

// positionOf returns where the i-th compared sample has moved along one axis. Outside, the edge repeats.
func positionOf(i int, move, growth float32) position {
	at := max(0, min(float32(i+patchMargin)+move+growth*fromCentre(i), patchWidth-1.001))
	return position{int(at), at - float32(int(at))}
}

// meanDeviation returns the mean absolute deviation from the mean.
func (d *differences) meanDeviation() float32 {
	var mean, sum float32
	for _, e := range d {
		mean += e / float32(len(d))
	}
	for _, e := range d {
		sum += abs(e - mean)
	}
	return sum / float32(len(d))
}

func abs(v float32) float32 { return max(v, -v) }

// shifted returns the box after s, which was measured in the patch of region r.
func (b Box) shifted(s shift, r Region, f *Frame) Box {
	w, h := float32(f.Width), float32(f.Height)
	c := b.Center()
	c.X += s.x / patchWidth * r.W / w
	c.Y += s.y / patchWidth * r.H / h
	k := 1 + s.growth/(patchSide/2)
	return Box{c.X - k*b.W/2, c.Y - k*b.H/2, k * b.W, k * b.H}
}

func multiply(m *[4][4]float64, v *[4]float64) (out [4]float64) {
	for a := range m {
		for b := range v {
			out[a] += m[a][b] * v[b]
		}
	}
	return out
}

// invert returns the inverse of a symmetric matrix by Gauss-Jordan elimination. flat reports that m is almost singular.
func invert(m [4][4]float64) (inverse [4][4]float64, flat bool) {
	const least = 1e-9 // smallest pivot, in the largest element of the diagonal
	var largest float64
	for a := range m {
		inverse[a][a] = 1
		largest = max(largest, m[a][a])
	}
	for a := range m {
		pivot := m[a][a]
		if !(pivot > least*largest) {
			return inverse, true
		}
		for b := range m {
			m[a][b] /= pivot
			inverse[a][b] /= pivot
		}
		for c := range m {
			if c == a {
				continue
			}
			k := m[c][a]
			for b := range m {
				m[c][b] -= k * m[a][b]
				inverse[c][b] -= k * inverse[a][b]
			}
		}
	}
	return inverse, false
}
