package camera

import (
	"image"
	"time"

	"github.com/pion/mediadevices/pkg/frame"
	"github.com/pion/mediadevices/pkg/io/video"
	"github.com/pion/mediadevices/pkg/prop"

	"mindflow/pipeline"
)

// Play returns a device that plays a video once, at its true speed, as if it were in front of a camera. Run opens and
// closes the video.
func Play(name string, open func() (pipeline.Video, error)) (Device, error) {
	d, err := install(&player{open: open}, name)
	d.ends = true
	return d, err
}

// player is a driver of mediadevices. The goroutine of Run owns it.
type player struct {
	open  func() (pipeline.Video, error)
	video pipeline.Video
	began time.Time
}

func (p *player) Open() (err error) {
	p.video, err = p.open()
	return err
}

func (p *player) Close() error { return p.video.Close() }

// Properties returns one format. The video's frames have their own size and times.
func (p *player) Properties() []prop.Media {
	return []prop.Media{{Video: prop.Video{Width: 640, Height: 480, FrameFormat: frame.FormatI420}}}
}

func (p *player) VideoRecord(prop.Media) (video.Reader, error) {
	p.began = time.Time{}
	return video.ReaderFunc(p.read), nil
}

// read returns the next frame at once. capture waits for the frame's time, which may be long, and for the end of its
// context. A late frame is not waited for, so that the video catches up.
func (p *player) read() (image.Image, func(), error) {
	f, at, err := p.video.Next()
	if err != nil {
		return nil, nothing, err
	}
	if p.began.IsZero() {
		p.began = time.Now().Add(-at)
	}
	return newPicture(f, p.began.Add(at)), nothing, nil
}

func nothing() {}
