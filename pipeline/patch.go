package pipeline

import "math"

// A patch is a face's luma, resampled to a few pixels: enough to tell how a face has moved and whether it has
// changed, and small enough to do so on every frame. Noise of a camera is averaged away.
const (
	patchSide   = 24 // what is compared
	patchMargin = 4  // around it, so that what has moved a little is still there
	patchWhole  = patchSide + 2*patchMargin
	patchScale  = 1.2 // side of what is compared, in the box's longer side

	registerSteps = 12   // at most
	registerClose = 0.02 // pixels of the patch; a step that is shorter is the last
)

// patch holds the samples of a square of a frame, patchWhole a side, 0..255.
type patch [patchWhole * patchWhole]float32

// patchRegion is the square that a patch shows of the face in b.
func patchRegion(b Box, f *Frame) Region {
	return CropRule{Scale: patchScale * patchWhole / patchSide}.Region(b, f)
}

// sample fills p. Of a large face every second or third row is enough.
func (p *patch) sample(by *resampler, f *Frame, r Region) {
	thin := max(1, int(r.H/patchWhole/3))
	k := float32(thin)
	by.plane(p[:], patchWhole, patchWhole, f.Y, thin*f.YStride, f.Width, (f.Height+thin-1)/thin, r.X, r.Y/k, r.W, r.H/k, Area)
}

// shift is how a face has moved between two patches, in pixels of the patch, and grown.
type shift struct{ x, y, grown float32 }

// reference is a patch that later ones are compared with: Lucas and Kanade's registration in its inverse
// compositional form (Baker and Matthews, "Lucas-Kanade 20 years on", IJCV 2004, section 3.2), for a move and a
// growth, and a change of brightness, which is no change of the face.
type reference struct {
	patch   patch
	descent [patchSide * patchSide][4]float32 // steepest descent, by parameter: x, y, growth, brightness
	inverse [4][4]float64                     // of the Hessian
	flat    bool                              // there is nothing in it to hold on to
}

// set makes p the reference.
func (r *reference) set(p *patch) {
	r.patch = *p
	var hessian [4][4]float64
	for j := range patchSide {
		for i := range patchSide {
			at := (j+patchMargin)*patchWhole + i + patchMargin
			gx, gy := (p[at+1]-p[at-1])/2, (p[at+patchWhole]-p[at-patchWhole])/2
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

// fromCentre gives a pixel's place in halves of the side, so that growth has the scale of a move.
func fromCentre(i int) float32 { return (float32(i) + 0.5 - patchSide/2) / (patchSide / 2) }

// register finds how the face of the reference lies in p, and what is left of the difference then: the mean over
// the patch, in grey levels, brightness taken out. ok is false where the two do not come together.
func (r *reference) register(p *patch) (s shift, left float32, ok bool) {
	if r.flat {
		return s, 0, false
	}
	var errs differences
	for range registerSteps {
		r.compare(&errs, p, s)
		sums := r.project(&errs)
		d := multiply(&r.inverse, &sums)
		s = shift{s.x - float32(d[0]), s.y - float32(d[1]), s.grown - float32(d[2])}
		if max(abs(s.x), abs(s.y), abs(s.grown)) > patchMargin {
			return shift{}, 0, false
		}
		if max(math.Abs(d[0]), math.Abs(d[1]), math.Abs(d[2])) < registerClose {
			break
		}
	}
	r.compare(&errs, p, s)
	return s, errs.spread(), true
}

// project sums up the differences by what each parameter does to them.
func (r *reference) project(errs *differences) [4]float64 {
	var x, y, grown, brighter float32
	for k, e := range errs {
		d := &r.descent[k]
		x += d[0] * e
		y += d[1] * e
		grown += d[2] * e
		brighter += e
	}
	return [4]float64{float64(x), float64(y), float64(grown), float64(brighter)}
}

type differences [patchSide * patchSide]float32

// compare gives what p, moved back by s, has more than the reference.
func (r *reference) compare(to *differences, p *patch, s shift) {
	var columns [patchSide]step
	for i := range columns {
		columns[i] = stepTo(i, s.x, s.grown)
	}
	for j := range patchSide {
		row := stepTo(j, s.y, s.grown)
		top := p[row.first*patchWhole : (row.first+1)*patchWhole]
		bottom := p[(row.first+1)*patchWhole : (row.first+2)*patchWhole]
		own := r.patch[(j+patchMargin)*patchWhole+patchMargin:][:patchSide]
		out := to[j*patchSide:][:patchSide]
		for i, c := range columns {
			k := c.first & (patchWhole - 1) // which it is; said so, it need not be checked
			over := top[k] + c.part*(top[k+1]-top[k])
			under := bottom[k] + c.part*(bottom[k+1]-bottom[k])
			out[i] = over + row.part*(under-over) - own[i]
		}
	}
}

// step is a place between two samples.
type step struct {
	first int     // at most patchWhole-2
	part  float32 // of the way to the next, 0..1
}

// stepTo is where the i-th sample of what is compared has moved along one axis; the edge goes on outside.
func stepTo(i int, move, grown float32) step {
	at := max(0, min(float32(i+patchMargin)+move+grown*fromCentre(i), patchWhole-1.001))
	return step{int(at), at - float32(int(at))}
}

// spread is the mean distance from the mean.
func (d *differences) spread() float32 {
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

// moved is where the face of a box lies after s.
func (b Box) moved(s shift, r Region, f *Frame) Box {
	w, h := float32(f.Width), float32(f.Height)
	c := b.Center()
	c.X += s.x / patchWhole * r.W / w
	c.Y += s.y / patchWhole * r.H / h
	k := 1 + s.grown/(patchSide/2)
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

// invert gives the inverse of a symmetric matrix by Gauss and Jordan; flat says that there is none worth having.
func invert(m [4][4]float64) (inverse [4][4]float64, flat bool) {
	const least = 1e-9 // of the largest element, of a pivot
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
