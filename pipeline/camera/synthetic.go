package camera

import (
	"image"
	"math"
	"time"

	"github.com/pion/mediadevices/pkg/frame"
	"github.com/pion/mediadevices/pkg/io/video"
	"github.com/pion/mediadevices/pkg/prop"
)

// Synthetic makes a device that draws: a disc going round before a slope of grey, of the size and rate
// that are wanted. The one that mediadevices brings has one size, and whoever imports it gets it as a camera.
func Synthetic(s Settings) (Device, error) {
	return install(&painter{width: s.Width, height: s.Height, rate: s.Rate}, "the synthetic camera")
}

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
	p.picture.YCbCr = *image.NewYCbCr(image.Rect(0, 0, p.width, p.height), image.YCbCrSubsampleRatio420)
	p.began, p.drawn = time.Now(), 0
	return video.ReaderFunc(p.read), nil
}

func (p *painter) read() (image.Image, func(), error) {
	p.drawn++
	p.picture.taken = p.began.Add(time.Duration(float64(p.drawn) / p.rate * float64(time.Second)))
	time.Sleep(time.Until(p.picture.taken))
	p.draw(float64(p.drawn) / p.rate)
	return &p.picture, nothing, nil
}

// draw paints the picture of a time, in seconds.
func (p *painter) draw(at float64) {
	const turn = 4.0 // seconds
	sin, cos := math.Sincos(2 * math.Pi * at / turn)
	w, h := float64(p.width), float64(p.height)
	x0, y0, r := w/2+w/4*cos, h/2+h/4*sin, h/8
	img := &p.picture.YCbCr
	for y := range p.height {
		row := img.Y[y*img.YStride:][:p.width]
		for x := range row {
			row[x] = byte(60 + 100*x/p.width)
		}
		if dy := float64(y) - y0; math.Abs(dy) < r {
			half := math.Sqrt(r*r - dy*dy)
			for x := max(0, int(x0-half)); x < min(p.width, int(x0+half)); x++ {
				row[x] = 200
			}
		}
	}
	for i := range img.Cb {
		img.Cb[i], img.Cr[i] = 128, 128
	}
}
