package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"mindflow/pipeline"
	"mindflow/pipeline/avdec/avfile"
	"mindflow/pipeline/camera"
)

// frameSource is a camera that runs in its own goroutine. The mailbox holds its newest frame.
type frameSource struct {
	frames *pipeline.Mailbox
	stale  atomic.Uint64 // frames that were replaced before they were taken

	began time.Time // of the first frame; set before that is in the mailbox
	stop  context.CancelFunc
	done  chan struct{} // closed at the end
	err   error         // why it ended; read it after done
}

// startSource runs the camera until ctx or its video ends. The caller must close the source.
func startSource(ctx context.Context, device camera.Device, settings camera.Settings, show *labelPrinter) *frameSource {
	ctx, stop := context.WithCancel(ctx)
	f := &frameSource{frames: pipeline.NewMailbox(), stop: stop, done: make(chan struct{})}
	settings.Changed = func(lost error) {
		if lost != nil {
			show.notice("the camera is lost: %v; waiting for it to come back", lost)
			return
		}
		show.notice("the camera is back")
	}
	go func() {
		defer close(f.done)
		f.err = device.Run(ctx, settings, f.put)
	}()
	return f
}

func (f *frameSource) put(frame *pipeline.Frame) {
	if f.began.IsZero() {
		f.began = frame.Arrived
	}
	if f.frames.Put(frame) {
		f.stale.Add(1)
	}
}

// next waits for a frame, which is lent until the next call. ok is false when no more will come.
func (f *frameSource) next(ctx context.Context) (frame *pipeline.Frame, ok bool) {
	for {
		ended := false
		select {
		case <-ctx.Done():
			return nil, false
		case <-f.done:
			ended = true // the last frame may still wait
		case <-f.frames.Ready():
		}
		if frame, ok = f.frames.Take(); ok || ended {
			return frame, ok
		}
	}
}

// close ends the camera and returns why it had ended before, if it had.
func (f *frameSource) close() error {
	f.stop()
	<-f.done
	if errors.Is(f.err, context.Canceled) {
		return nil
	}
	return f.err
}

// dropped returns the counts of frames that were not analysed, in the form of a message.
func (f *frameSource) dropped() map[string]uint64 {
	counts := map[string]uint64{}
	if n := f.stale.Load(); n > 0 {
		counts["stale"] = n
	}
	return counts
}

// clip is a video file that plays as a camera. A damaged file plays as far as it can be read, and ends with an error.
type clip struct {
	*avfile.Video
	path string
}

func openClip(path string) (pipeline.Video, error) {
	v, err := avfile.Open(path)
	if err != nil {
		return nil, err
	}
	return clip{v, path}, nil
}

// Next returns the next frame. It ends with an error where not all of the file could be read.
func (c clip) Next() (*pipeline.Frame, time.Duration, error) {
	f, at, err := c.Video.Next()
	if errors.Is(err, io.EOF) {
		if damage := c.CheckComplete(); damage != nil {
			return nil, 0, fmt.Errorf("%s: %w", c.path, damage)
		}
	}
	return f, at, err
}
