package camera

import (
	"image"
	"io"
	"math"
	"time"

	"github.com/pion/mediadevices/pkg/frame"
	"github.com/pion/mediadevices/pkg/io/video"
	"github.com/pion/mediadevices/pkg/prop"

	"mindflow/pipeline"
)

// Synthetic makes a device that draws: a face that moves about and smiles every other while, of the size and
// rate that are wanted. The one that mediadevices brings has one size, and whoever imports it gets it as a camera.
func Synthetic(s Settings) (Device, error) {
	return install(&painter{width: s.Width, height: s.Height, rate: s.Rate}, "the synthetic camera")
}

// Drawn gives the synthetic camera's pictures of a time as a film, which need not be waited for.
func Drawn(s Settings, length time.Duration) Film {
	p := &painter{width: s.Width, height: s.Height, rate: s.Rate}
	p.prepare()
	return &drawing{painter: p, frames: int(length.Seconds() * s.Rate)}
}

// drawing is a film of so many frames.
type drawing struct {
	painter *painter
	frames  int
	frame   pipeline.Frame
}

func (d *drawing) Next() (*pipeline.Frame, time.Duration, error) {
	p := d.painter
	if p.drawn >= d.frames {
		return nil, 0, io.EOF
	}
	at := float64(p.drawn) / p.rate
	p.drawn++
	p.draw(at)
	if err := planes(&d.frame, &p.picture); err != nil {
		return nil, 0, err
	}
	return &d.frame, time.Duration(at * float64(time.Second)), nil
}

func (d *drawing) Close() error { return nil }

// painter is a driver of mediadevices. It is owned by the goroutine of Run.
type painter struct {
	width, height int
	rate          float64
	began         time.Time
	drawn         int
	picture       picture
}

func (p *painter) Open() error  { return nil }
func (p *painter) Close() error { return nil }

func (p *painter) Properties() []prop.Media {
	return []prop.Media{{Video: prop.Video{Width: p.width, Height: p.height, FrameFormat: frame.FormatI420, FrameRate: float32(p.rate)}}}
}

func (p *painter) VideoRecord(prop.Media) (video.Reader, error) {
	p.prepare()
	p.began, p.drawn = time.Now(), 0
	return video.ReaderFunc(p.read), nil
}

func (p *painter) prepare() {
	p.picture.YCbCr = *image.NewYCbCr(image.Rect(0, 0, p.width, p.height), image.YCbCrSubsampleRatio420)
}

func (p *painter) read() (image.Image, func(), error) {
	p.drawn++
	p.picture.taken = p.began.Add(time.Duration(float64(p.drawn) / p.rate * float64(time.Second)))
	p.draw(float64(p.drawn) / p.rate)
	return &p.picture, nothing, nil
}

// draw paints the picture of a time, in seconds.
func (p *painter) draw(at float64) {
	const turn, moods = 8.0, 6.0 // seconds
	sin, cos := math.Sincos(2 * math.Pi * at / turn)
	w, h := float64(p.width), float64(p.height)
	half := 0.3 * min(w, h) // of the face's height, in pixels
	x0, y0 := w/2+(w/2-half)*0.5*cos, h/2+(h/2-half)*0.3*sin
	smile := min(1, max(0, 0.5-2*math.Sin(2*math.Pi*at/moods)))
	img := &p.picture.YCbCr
	for y := range p.height {
		row := img.Y[y*img.YStride:][:p.width]
		for x := range row {
			row[x] = byte(110 + 60*x/p.width)
		}
	}
	for i := range img.Cb {
		img.Cb[i], img.Cr[i] = 128, 128
	}
	for y := max(0, int(y0-1.3*half)); y < min(p.height, int(y0+1.3*half)); y++ {
		for x := max(0, int(x0-half)); x < min(p.width, int(x0+half)); x++ {
			if luma, skin := portrait((float64(x)-x0)/half, (float64(y)-y0)/half, smile); luma > 0 {
				img.Y[img.YOffset(x, y)] = luma
				if skin {
					img.Cb[img.COffset(x, y)], img.Cr[img.COffset(x, y)] = 110, 150
				}
			}
		}
	}
}

// portrait is a face's luma at a place, in halves of its height from its centre, and 0 around it. smile is 0 to 1.
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
	shade -= 45 * math.Exp(-ellipse(side, v, 0.29, -0.17, 0.2, 0.13))        // the eyes lie deep
	shade -= 30 * math.Exp(-ellipse(side, v, 0.12, 0.12, 0.05, 0.16))        // beside the nose
	shade += 20 * math.Exp(-ellipse(side, v, 0, 0.1, 0.05, 0.2))             // the nose
	shade -= 25 * math.Exp(-ellipse(side, v, 0, 0.62, 0.2, 0.04))            // under the lip
	shade += 15 * smile * math.Exp(-ellipse(side, v, 0.36, 0.22, 0.12, 0.1)) // cheeks
	return byte(shade), true
}

// ellipse is below 1 within the ellipse at (x, y) with half axes a and b.
func ellipse(u, v, x, y, a, b float64) float64 {
	du, dv := (u-x)/a, (v-y)/b
	return du*du + dv*dv
}
