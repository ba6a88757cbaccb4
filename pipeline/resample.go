package pipeline

import "math"

// axis holds the weights that make each output sample along one dimension a sum of source samples.
type axis struct {
	first   []int     // index of each output's first source sample
	taps    int       // number of source samples for each output
	weights []float32 // taps for each output
}

// set computes the weights of n outputs that cover [from, from+length) of size source samples. Shrinking averages the
// area under each output, enlarging interpolates linearly; the two agree where they meet. Positions outside the source
// repeat its edge.
func (a *axis) set(n int, from, length float32, size int, filter string) {
	step := float64(length) / float64(n)
	if filter == Triangle {
		a.setTriangle(n, float64(from), float64(length), size)
		return
	}
	support := math.Max(step, 1)
	a.taps = min(int(math.Ceil(support))+1, size)
	a.first = grow(a.first, n)
	a.weights = grow(a.weights, n*a.taps)
	clear(a.weights)
	for i := range n {
		lo := float64(from) + float64(i)*step
		if step < 1 { // a window of one source sample around the output's centre is linear interpolation
			lo += step/2 - 0.5
		}
		first := clampInt(int(math.Floor(lo)), 0, size-a.taps)
		a.first[i] = first
		w := a.weights[i*a.taps : (i+1)*a.taps]
		for k := int(math.Floor(lo)); float64(k) < lo+support; k++ {
			cover := math.Min(float64(k+1), lo+support) - math.Max(float64(k), lo)
			w[clampInt(clampInt(k, 0, size-1)-first, 0, a.taps-1)] += float32(cover / support)
		}
	}
}

// setTriangle weighs the samples within a step of an output's centre, or within one sample when enlarging, by their
// distance. Like PIL's resize of a crop, it uses nothing outside [from, from+length), and the weights sum to one at the
// edges too.
func (a *axis) setTriangle(n int, from, length float64, size int) {
	step := length / float64(n)
	support := math.Max(step, 1)
	a.taps = min(int(math.Ceil(2*support))+1, size)
	a.first = grow(a.first, n)
	a.weights = grow(a.weights, n*a.taps)
	clear(a.weights)
	least := clampInt(int(math.Round(from)), 0, size-1)
	end := clampInt(int(math.Round(from+length)), least+1, size)
	for i := range n {
		centre := from + (float64(i)+0.5)*step
		lo := clampInt(int(math.Floor(centre-support+0.5)), least, end-1)
		hi := clampInt(int(math.Floor(centre+support+0.5)), lo+1, end)
		first := min(lo, size-a.taps)
		a.first[i] = first
		w, sum := a.weights[i*a.taps:(i+1)*a.taps], float32(0)
		for k := lo; k < hi; k++ {
			w[k-first] = float32(max(1e-9, 1-math.Abs(float64(k)+0.5-centre)/support)) // never all zero
			sum += w[k-first]
		}
		for k := range w {
			w[k] /= sum
		}
	}
}

// resampler resamples one plane. It keeps its memory from call to call.
type resampler struct {
	x, y axis
	rows []float32 // the needed source rows, resampled along x
}

// plane resamples the region at (x, y) of w by h source samples to ow by oh values in dst. src has sw by sh samples.
func (r *resampler) plane(dst []float32, ow, oh int, src []byte, stride, sw, sh int,
	x, y, w, h float32, filter string) {
	r.x.set(ow, x, w, sw, filter)
	r.y.set(oh, y, h, sh, filter)
	top := r.y.first[0]
	bottom := r.y.first[oh-1] + r.y.taps
	r.rows = grow(r.rows, (bottom-top)*ow)
	for row := top; row < bottom; row++ {
		r.x.row(r.rows[(row-top)*ow:(row-top+1)*ow], src[row*stride:row*stride+sw])
	}
	for j := range oh {
		out := dst[j*ow : (j+1)*ow]
		clear(out)
		for k, weight := range r.y.weights[j*r.y.taps : (j+1)*r.y.taps] {
			if weight == 0 {
				continue
			}
			at := (r.y.first[j] - top + k) * ow
			for i, v := range r.rows[at : at+ow] {
				out[i] += weight * v
			}
		}
	}
}

// row resamples one row. Three and four taps, which shrinking a camera's picture to a detector's size needs, are
// unrolled: they take half the time of the loop.
func (a *axis) row(dst []float32, src []byte) {
	switch a.taps {
	case 3:
		for i, first := range a.first[:len(dst)] {
			in, w := src[first:first+3:first+3], a.weights[i*3:i*3+3:i*3+3]
			dst[i] = w[0]*float32(in[0]) + w[1]*float32(in[1]) + w[2]*float32(in[2])
		}
	case 4:
		for i, first := range a.first[:len(dst)] {
			in, w := src[first:first+4:first+4], a.weights[i*4:i*4+4:i*4+4]
			dst[i] = w[0]*float32(in[0]) + w[1]*float32(in[1]) + w[2]*float32(in[2]) + w[3]*float32(in[3])
		}
	default:
		for i, first := range a.first[:len(dst)] {
			in := src[first : first+a.taps]
			var sum float32
			for k, weight := range a.weights[i*a.taps : (i+1)*a.taps] {
				sum += weight * float32(in[k])
			}
			dst[i] = sum
		}
	}
}

// grow returns s with length n, in new memory where it is too small. The elements are not kept then.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

func clampInt(v, lo, hi int) int { return max(lo, min(v, hi)) }
