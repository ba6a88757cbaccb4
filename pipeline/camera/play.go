package camera

import (
	"context"
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
	return play(name, &player{open: func(context.Context) (pipeline.Video, error) { return open() }})
}

// Stream returns a device for a network camera, whose frames are used as they come. open, and the video that it
// returns, end with the context. When the video fails, Run opens it again, as it does a lost camera.
func Stream(name string, open func(context.Context) (pipeline.Video, error)) (Device, error) {
	return play(name, &player{open: open, live: true})
}

func play(name string, p *player) (Device, error) {
	d, err := install(p, name)
	d.ends, d.player = !p.live, p
	return d, err
}

// player is a driver of mediadevices. The goroutine of Run owns it.
type player struct {
	open  func(context.Context) (pipeline.Video, error)
	live  bool
	ctx   context.Context // of Run, which sets it before Open: mediadevices passes none
	video pipeline.Video
	began time.Time
}

func (p *player) Open() (err error) {
	p.video, err = p.open(p.ctx)
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
	if p.live {
		return newPicture(f, time.Now()), nothing, nil
	}
	if p.began.IsZero() {
		p.began = time.Now().Add(-at)
	}
	return newPicture(f, p.began.Add(at)), nothing, nil
}

func nothing() {}
