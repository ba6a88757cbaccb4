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

// feed is a camera that runs in a goroutine of its own. Its newest frame is in the mailbox.
type feed struct {
	frames *pipeline.Mailbox
	stale  atomic.Uint64 // frames that nobody took in time

	began time.Time // of the first frame; set before that is in the mailbox
	stop  context.CancelFunc
	done  chan struct{} // closed at the end
	err   error         // why it ended; to be read after done
}

// startFeed runs the camera until ctx or its film ends. The caller must close the feed.
func startFeed(ctx context.Context, device camera.Device, settings camera.Settings, show *readout) *feed {
	ctx, stop := context.WithCancel(ctx)
	f := &feed{frames: pipeline.NewMailbox(), stop: stop, done: make(chan struct{})}
	settings.Changed = func(lost error) {
		if lost != nil {
			show.say("the camera is lost: %v; waiting for it to come back", lost)
			return
		}
		show.say("the camera is back")
	}
	go func() {
		defer close(f.done)
		f.err = device.Run(ctx, settings, f.put)
	}()
	return f
}

func (f *feed) put(frame *pipeline.Frame) {
	if f.began.IsZero() {
		f.began = frame.Arrived
	}
	if f.frames.Put(frame) {
		f.stale.Add(1)
	}
}

// next waits for a frame, which is lent until the next call. ok is false when there will be none.
func (f *feed) next(ctx context.Context) (frame *pipeline.Frame, ok bool) {
	for {
		ended := false
		select {
		case <-ctx.Done():
			return nil, false
		case <-f.done:
			ended = true // but for the last frame
		case <-f.frames.Ready():
		}
		if frame, ok = f.frames.Take(); ok || ended {
			return frame, ok
		}
	}
}

// close ends the camera and gives the reason why it had ended, if it had.
func (f *feed) close() error {
	f.stop()
	<-f.done
	if errors.Is(f.err, context.Canceled) {
		return nil
	}
	return f.err
}

// dropped counts what was not analysed, as a message of ours says it.
func (f *feed) dropped() map[string]uint64 {
	counts := map[string]uint64{}
	if n := f.stale.Load(); n > 0 {
		counts["stale"] = n
	}
	return counts
}

// clip is a video file as a film. One that is damaged plays as far as it can be read, and then says so.
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

// Next is the video's, but ends with an error where not all of the file could be read.
func (c clip) Next() (*pipeline.Frame, time.Duration, error) {
	f, at, err := c.Video.Next()
	if errors.Is(err, io.EOF) {
		if damage := c.Whole(); damage != nil {
			return nil, 0, fmt.Errorf("%s: %w", c.path, damage)
		}
	}
	return f, at, err
}
