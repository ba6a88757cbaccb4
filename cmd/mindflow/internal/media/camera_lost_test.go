package media

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"image"
	"io"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pion/mediadevices/pkg/driver"
	"github.com/pion/mediadevices/pkg/frame"
	frames "github.com/pion/mediadevices/pkg/io/video"
	"github.com/pion/mediadevices/pkg/prop"

	"mindflow/cmd/mindflow/internal/clitest"
	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/pipeline/camera"
)

// flaky is a camera at /dev/video99 that can be unplugged.
type flaky struct {
	gone     atomic.Bool
	refusals atomic.Int64 // to be opened while it is gone
}

func (f *flaky) Open() error {
	if f.gone.Load() {
		f.refusals.Add(1)
		return syscall.ENODEV
	}
	return nil
}

func (f *flaky) Close() error { return nil }

func (f *flaky) Properties() []prop.Media {
	return []prop.Media{{Video: prop.Video{Width: 160, Height: 120, FrameFormat: frame.FormatYUYV, FrameRate: 30}}}
}

func (f *flaky) VideoRecord(p prop.Media) (frames.Reader, error) {
	clock := time.NewTicker(time.Second / 30)
	return frames.ReaderFunc(func() (image.Image, func(), error) {
		<-clock.C
		if f.gone.Load() {
			clock.Stop()
			return nil, func() {}, syscall.ENODEV
		}
		return image.NewYCbCr(image.Rect(0, 0, p.Width, p.Height), image.YCbCrSubsampleRatio422), func() {}, nil
	}), nil
}

// TestCameraLostAndRegained: a camera that is unplugged and comes back is reported lost once and back once. Its times
// go on, and publishing stays one session.
func TestCameraLostAndRegained(t *testing.T) {
	for _, publishing := range []bool{false, true} {
		name := "here"
		if publishing {
			name = "published"
		}
		t.Run(name, func(t *testing.T) {
			clitest.NoLeaks(t)
			f := plugIn(t)
			args := []string{"--camera", "99"}
			if publishing {
				listen := clitest.FreePort(t)
				stop := hosting(t, listen)
				defer stop()
				args = append(args, "--publish", "http://"+listen)
			}
			said := loseAndRegain(t, f, args)
			for _, want := range []string{"the camera is lost: read /dev/video99 (Flaky)", "the camera is back"} {
				if strings.Count(said, want) != 1 {
					t.Errorf("said %q, want %q in it once", said, want)
				}
			}
			if publishing && strings.Count(said, "publishing to") != 1 {
				t.Errorf("not one session: %q", said)
			}
		})
	}
}

func plugIn(t *testing.T) *flaky {
	f := &flaky{}
	if err := driver.GetManager().Register(f, driver.Info{Label: "usb-99;video99", Name: "Flaky;usb",
		DeviceType: driver.Camera}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		isFlaky := func(d driver.Driver) bool { return d.Info().Label == "usb-99;video99" }
		for _, d := range driver.GetManager().Query(isFlaky) {
			driver.GetManager().Delete(d.ID())
		}
	})
	return f
}

// labelling is a run of camera, whose labels are read line by line.
type labelling struct {
	out     *io.PipeReader
	notices bytes.Buffer // complete once done gave the run's error
	end     func()
	done    chan error
}

// label labels what args name until end is called or the test ends.
func label(t *testing.T, args []string) *labelling {
	t.Helper()
	how, device := cameraOf(t, args)
	ctx, end := context.WithTimeout(t.Context(), clitest.Patience)
	out, in := io.Pipe()
	l := &labelling{out: out, end: end, done: make(chan error, 1)}
	show := newLabelPrinter(in, &l.notices, true)
	go func() {
		defer close(l.done)
		var err error
		if how.publish != "" {
			err = publish(ctx, how, device, show)
		} else {
			err = analyse(ctx, how, device, show)
		}
		in.Close()
		l.done <- err
	}()
	t.Cleanup(func() { // where the test fails before
		end()
		out.Close()
		<-l.done
	})
	return l
}

// loseAndRegain reads labels, unplugs the camera until two attempts to open it have failed, and reads labels again. It
// returns the notices.
func loseAndRegain(t *testing.T, f *flaky, args []string) string {
	t.Helper()
	l := label(t, args)
	// Lines are read all the time: printing waits for the reader, and the camera with it.
	said := make(chan string, 2*30*int(clitest.Patience.Seconds()))
	go func() {
		defer close(said)
		for scan := bufio.NewScanner(l.out); scan.Scan(); {
			said <- scan.Text() + "\n"
		}
	}()
	last := -1.0
	until := func(enough func(at float64) bool) {
		for line := range said {
			at := lines(t, line)[0].T
			if at <= last {
				t.Errorf("time goes from %v to %v s", last, at)
			}
			if last = at; enough(at) {
				return
			}
		}
		t.Fatalf("no more labels: %v", <-l.done)
	}
	n := 0
	until(func(float64) bool { n++; return n == 5 })
	f.gone.Store(true)
	clitest.WaitUntil(t, "it could not be opened twice", func() bool { return f.refusals.Load() >= 2 })
	f.gone.Store(false)
	lost := last
	until(func(at float64) bool { return at > lost+0.75 }) // it waits 0.25 s and 0.5 s
	l.end()
	for line := range said { // the rest is whole lines too
		lines(t, line)
	}
	if err := <-l.done; !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
	return l.notices.String()
}

// cameraOf reads the flags as `camera` does.
func cameraOf(t *testing.T, args []string) (*cameraFlags, camera.Device) {
	t.Helper()
	fs := settings.NewFlags("camera")
	how := newCameraFlags(fs)
	settings.EngineFlags(fs, &how.engine)
	if err := fs.Parse(append(args, clitest.EngineArgs(t)...)); err != nil {
		t.Fatal(err)
	}
	if err := how.check(); err != nil {
		t.Fatal(err)
	}
	device, err := how.open()
	if err != nil {
		t.Fatal(err)
	}
	return how, device
}
