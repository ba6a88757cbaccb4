package camera

import (
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"io"
	"syscall"
	"time"

	"github.com/pion/mediadevices/pkg/driver"
	"github.com/pion/mediadevices/pkg/frame"
	"github.com/pion/mediadevices/pkg/io/video"

	"mindflow/pipeline"
)

// Settings are the wanted properties of a camera, which uses the nearest that it has.
type Settings struct {
	Width, Height int
	Rate          float64 // frames per second
	// Changed is called with the reason when the camera is lost, and with nil when it is back. Optional.
	Changed func(error)
}

const (
	firstRetry = 250 * time.Millisecond // of opening a lost camera
	lastRetry  = 4 * time.Second
	damaged    = 30 // number of frames in a row from which the camera counts as lost
)

// Run calls emit with each frame of the camera, on the caller's goroutine, until ctx ends. A frame is valid during
// the call. Arrived is when the frame was taken, and RTP counts from the first frame. Run opens a lost camera again
// until it is back. The error is ctx's, or why the camera could not be opened at first; it is nil at the end of a
// video.
func (d Device) Run(ctx context.Context, s Settings, emit func(*pipeline.Frame)) error {
	c := &capture{device: d, settings: s, emit: emit}
	if d.player != nil {
		d.player.ctx = ctx
	}
	retry := firstRetry
	opened, lost := false, false
	for {
		var alive time.Time
		err := c.once(ctx, func() {
			if lost {
				c.changed(nil)
			}
			alive, opened, lost = time.Now(), true, false
		})
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case d.ends || !opened:
			return err
		case !lost:
			lost = true
			c.changed(err)
		}
		if !alive.IsZero() && time.Since(alive) > lastRetry { // else the camera is unstable
			retry = firstRetry
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(retry):
		}
		retry = min(2*retry, lastRetry)
	}
}

// capture is one Run of a camera.
type capture struct {
	device   Device
	settings Settings
	emit     func(*pipeline.Frame)
	began    time.Time // of the first frame
	frame    pipeline.Frame
}

func (c *capture) changed(lost error) {
	if c.settings.Changed != nil {
		c.settings.Changed(lost)
	}
}

// once opens the camera, calls alive with its first frame, and reads it until it fails, its video ends or ctx ends.
func (c *capture) once(ctx context.Context, alive func()) (err error) {
	if err := c.device.driver.Open(); err != nil {
		return cannotOpen(c.device, err)
	}
	defer func() {
		// a failed VideoRecord has closed it; closing again could close another file
		if c.device.driver.Status() == driver.StateClosed {
			return
		}
		if failed := c.device.driver.Close(); failed != nil {
			err = errors.Join(err, fmt.Errorf("close %s: %w", c.device, failed))
		}
	}()
	format, ok := nearest(c.device.driver.Properties(), c.settings)
	if !ok {
		return fmt.Errorf("%s gives no pictures of a known format; name another camera", c.device)
	}
	recorder, ok := c.device.driver.(driver.VideoRecorder)
	if !ok {
		return fmt.Errorf("%s gives no pictures; name another camera", c.device)
	}
	reader, err := recorder.VideoRecord(format)
	if err != nil {
		return cannotOpen(c.device, err)
	}
	return c.read(ctx, reader, format.FrameFormat == frame.FormatMJPEG, alive)
}

func (c *capture) read(ctx context.Context, reader video.Reader, fullRange bool, alive func()) error {
	bad := 0 // in a row
	for first := true; ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		img, release, err := reader.Read()
		at := time.Now()
		if isDamage(err) && bad < damaged {
			bad++
			continue
		}
		switch {
		case c.device.ends && errors.Is(err, io.EOF):
			return nil
		case c.device.ends && err != nil:
			return err // errors of a video name its file
		case err != nil:
			return fmt.Errorf("read %s: %w", c.device, err)
		}
		bad = 0
		if p, ok := img.(*picture); ok {
			if err := until(ctx, p.taken); err != nil {
				release()
				return err
			}
			at = time.Now()
		}
		err = planes(&c.frame, img)
		release()
		if err != nil {
			return fmt.Errorf("read %s: %w", c.device, err)
		}
		c.frame.Arrived = at
		if p, ok := img.(*picture); ok {
			c.frame.Arrived, c.frame.BT709, c.frame.FullRange = p.taken, p.bt709, p.fullRange
		} else {
			c.frame.FullRange, c.frame.BT709 = fullRange, false // JFIF has full range: ITU-T T.871
		}
		c.frame.Decode = time.Since(at)
		if c.began.IsZero() {
			c.began = c.frame.Arrived
		}
		c.frame.RTP = ticks(c.frame.Arrived.Sub(c.began))
		if first {
			alive()
			first = false
		}
		c.emit(&c.frame)
	}
}

// until waits for a time, or for ctx's end.
func until(ctx context.Context, at time.Time) error {
	wait := time.NewTimer(time.Until(at))
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-wait.C:
		return nil
	}
}

// ticks returns a time on RTP's clock of 90 kHz, which wraps after 13 hours.
func ticks(d time.Duration) uint32 {
	return uint32(d/time.Second*90000 + (d%time.Second*90000+time.Second/2)/time.Second)
}

// isDamage reports whether an error is of one frame only, such as by a bad cable.
func isDamage(err error) bool {
	var format jpeg.FormatError
	var unsupported jpeg.UnsupportedError
	return errors.As(err, &format) || errors.As(err, &unsupported) || errors.Is(err, io.ErrUnexpectedEOF)
}

func cannotOpen(d Device, err error) error {
	cure := "see that it is plugged in and no other program has it"
	switch {
	case errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EPERM):
		cure = "join the group that may open it (sudo usermod -aG video $USER, then log in again)"
	case errors.Is(err, syscall.EBUSY):
		cure = "end the program that has it"
	case d.player != nil: // its errors name their source
		return err
	}
	return fmt.Errorf("open %s: %w; %s", d, err, cure)
}
