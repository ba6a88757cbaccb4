// Package synthetic draws a face that moves about and smiles from time to time, in pure Go: a test picture for cameras,
// load tests and devices.
package synthetic

import (
	"io"
	"math"
	"time"

	"mindflow/pipeline"
)

// Video is a drawn video. It implements pipeline.Video.
type Video struct {
	width, height int
	rate          float64
	frames, drawn int
	frame         pipeline.Frame
}

var _ pipeline.Video = (*Video)(nil)

// NewVideo returns a video of this size in pixels, this number of frames per second and this length.
func NewVideo(width, height int, rate float64, length time.Duration) *Video {
	return &Video{width: width, height: height, rate: rate, frames: int(length.Seconds() * rate)}
}

// Next draws the next frame.
func (v *Video) Next() (*pipeline.Frame, time.Duration, error) {
	if v.drawn >= v.frames {
		return nil, 0, io.EOF
	}
	at := float64(v.drawn) / v.rate
	v.drawn++
	Draw(&v.frame, v.width, v.height, at)
	return &v.frame, time.Duration(at * float64(time.Second)), nil
}

// Close does nothing.
func (v *Video) Close() error { return nil }

// Draw sets f to the picture at a time in seconds. It reuses f's memory where the size is the same.
func Draw(f *pipeline.Frame, width, height int, at float64) {
	if f.Width != width || f.Height != height {
		cw, ch := (width+1)/2, (height+1)/2
		*f = pipeline.Frame{Width: width, Height: height, YStride: width, CStride: cw,
			Y: make([]byte, width*height), U: make([]byte, cw*ch), V: make([]byte, cw*ch)}
	}
	const orbit, mood = 8.0, 6.0 // periods in seconds
	sin, cos := math.Sincos(2 * math.Pi * at / orbit)
	w, h := float64(width), float64(height)
	half := 0.3 * min(w, h) // of the face's height, in pixels
	x0, y0 := w/2+(w/2-half)*0.5*cos, h/2+(h/2-half)*0.3*sin
	smile := min(1, max(0, 0.5-2*math.Sin(2*math.Pi*at/mood)))
	for y := range height {
		row := f.Y[y*f.YStride:][:width]
		for x := range row {
			row[x] = byte(110 + 60*x/width)
		}
	}
	for i := range f.U {
		f.U[i], f.V[i] = 128, 128
	}
	for y := max(0, int(y0-1.3*half)); y < min(height, int(y0+1.3*half)); y++ {
		for x := max(0, int(x0-half)); x < min(width, int(x0+half)); x++ {
			if luma, skin := portrait((float64(x)-x0)/half, (float64(y)-y0)/half, smile); luma > 0 {
				f.Y[y*f.YStride+x] = luma
				if skin {
					f.U[y/2*f.CStride+x/2], f.V[y/2*f.CStride+x/2] = 110, 150
				}
			}
		}
	}
}

// portrait returns a face's luma at a place, in halves of its height from its centre, and 0 outside. smile is 0 to 1.
func portrait(u, v, smile float64) (luma byte, skin bool) {
	side := math.Abs(u) // a face is symmetric
	if ellipse(u, v, 0, 0.04, 0.70, 0.96) > 1 {
		if ellipse(u, v, 0, -0.2, 0.80, 1.0) < 1 && v < 0.25 {
			return 45, false // hair
		}
		return 0, false
	}
	if v < -0.62+0.2*u*u {
		return 45, false
	}
	eye := ellipse(side, v, 0.29, -0.14, 0.14, 0.05)
	corner := 0.5 - 0.16*smile // of the mouth; its middle stays
	line := 0.5 + 0.04*smile + (corner-0.5-0.04*smile)*(u/0.32)*(u/0.32)
	switch {
	case eye < 1 && ellipse(side, v, 0.29, -0.14, 0.055, 0.06) < 1:
		return 35, false
	case eye < 1:
		return 220, false
	case math.Abs(v+0.28+0.03*math.Cos(6*(side-0.3))) < 0.035 && side > 0.13 && side < 0.48:
		return 60, false // brow
	case ellipse(side, v, 0.075, 0.23, 0.04, 0.025) < 1:
		return 85, false // nostril
	case side < 0.32 && math.Abs(v-line) < 0.02+0.05*smile*(1-(u/0.32)*(u/0.32)):
		if smile > 0.5 && math.Abs(v-line) < 0.03*(1-(u/0.32)*(u/0.32)) {
			return 225, false // teeth
		}
		return 85, false
	}
	shade := 195 - 70*u*u - 25*max(0, v)
	shade -= 45 * math.Exp(-ellipse(side, v, 0.29, -0.17, 0.2, 0.13))        // eye sockets
	shade -= 30 * math.Exp(-ellipse(side, v, 0.12, 0.12, 0.05, 0.16))        // beside the nose
	shade += 20 * math.Exp(-ellipse(side, v, 0, 0.1, 0.05, 0.2))             // the nose
	shade -= 25 * math.Exp(-ellipse(side, v, 0, 0.62, 0.2, 0.04))            // under the lip
	shade += 15 * smile * math.Exp(-ellipse(side, v, 0.36, 0.22, 0.12, 0.1)) // cheeks
	return byte(shade), true
}

// ellipse returns a value below 1 inside the ellipse at (x, y) with half axes a and b.
func ellipse(u, v, x, y, a, b float64) float64 {
	du, dv := (u-x)/a, (v-y)/b
	return du*du + dv*dv
}
