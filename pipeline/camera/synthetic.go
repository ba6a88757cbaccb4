package camera

import (
	"image"
	"time"

	"github.com/pion/mediadevices/pkg/frame"
	"github.com/pion/mediadevices/pkg/io/video"
	"github.com/pion/mediadevices/pkg/prop"

	"mindflow/pipeline"
	"mindflow/pipeline/synthetic"
)

// Synthetic returns a device that draws a face (package synthetic), of the size and rate of s. The test camera of
// mediadevices has one size, and importing it adds it to the list of cameras.
func Synthetic(s Settings) (Device, error) {
	return install(&painter{width: s.Width, height: s.Height, rate: s.Rate}, "the synthetic camera")
}

// painter is a driver of mediadevices. The goroutine of Run owns it.
type painter struct {
	width, height int
	rate          float64
	began         time.Time
	drawn         int
	frame         pipeline.Frame
}

func (p *painter) Open() error  { return nil }
func (p *painter) Close() error { return nil }

func (p *painter) Properties() []prop.Media {
	return []prop.Media{{Video: prop.Video{
		Width: p.width, Height: p.height, FrameFormat: frame.FormatI420, FrameRate: float32(p.rate),
	}}}
}

func (p *painter) VideoRecord(prop.Media) (video.Reader, error) {
	p.began, p.drawn = time.Now(), 0
	return video.ReaderFunc(p.read), nil
}

func (p *painter) read() (image.Image, func(), error) {
	p.drawn++
	at := float64(p.drawn) / p.rate
	synthetic.Draw(&p.frame, p.width, p.height, at)
	return newPicture(&p.frame, p.began.Add(time.Duration(at*float64(time.Second)))), nothing, nil
}
