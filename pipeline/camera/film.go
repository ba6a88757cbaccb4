package camera

import (
	"image"
	"time"

	"github.com/pion/mediadevices/pkg/frame"
	"github.com/pion/mediadevices/pkg/io/video"
	"github.com/pion/mediadevices/pkg/prop"

	"mindflow/pipeline"
)

// Film is moving pictures.
type Film interface {
	// Next gives a frame, lent until the next call, and its time in the film. io.EOF marks the end.
	Next() (*pipeline.Frame, time.Duration, error)
	Close() error
}

// Play makes a device that plays a film at its true speed, once, as if it were before the camera. Run opens
// and closes the film.
func Play(name string, open func() (Film, error)) (Device, error) {
	d, err := install(&player{open: open}, name)
	d.ends = true
	return d, err
}

// player is a driver of mediadevices. It is owned by the goroutine of Run.
type player struct {
	open  func() (Film, error)
	film  Film
	began time.Time
}

func (p *player) Open() (err error) {
	p.film, err = p.open()
	return err
}

func (p *player) Close() error { return p.film.Close() }

// Properties names one format; the film's frames have their own size and times.
func (p *player) Properties() []prop.Media {
	return []prop.Media{{Video: prop.Video{Width: 640, Height: 480, FrameFormat: frame.FormatI420}}}
}

func (p *player) VideoRecord(prop.Media) (video.Reader, error) {
	p.began = time.Time{}
	return video.ReaderFunc(p.read), nil
}

// read gives the next frame at once; capture waits for its time, which may be long, and hears an interruption
// meanwhile. A frame that is late is not waited for, so that the film catches up.
func (p *player) read() (image.Image, func(), error) {
	f, at, err := p.film.Next()
	if err != nil {
		return nil, nothing, err
	}
	if p.began.IsZero() {
		p.began = time.Now().Add(-at)
	}
	return &picture{taken: p.began.Add(at), bt709: f.BT709, fullRange: f.FullRange, YCbCr: image.YCbCr{
		Y: f.Y, Cb: f.U, Cr: f.V, YStride: f.YStride, CStride: f.CStride,
		SubsampleRatio: image.YCbCrSubsampleRatio420, Rect: image.Rect(0, 0, f.Width, f.Height),
	}}, nothing, nil
}

func nothing() {}
