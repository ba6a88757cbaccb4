package camera

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pion/mediadevices/pkg/driver"
	"github.com/pion/mediadevices/pkg/frame"
	"github.com/pion/mediadevices/pkg/io/video"
	"github.com/pion/mediadevices/pkg/prop"

	"mindflow/pipeline"
	"mindflow/pipeline/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// fake is a driver of the test's own.
type fake struct {
	formats []prop.Media
	open    func() error                // nil: it can be opened
	read    func() (image.Image, error) // of the next frame
	record  error                       // of VideoRecord
	opened  int
	closed  int
}

func (f *fake) Open() error {
	if f.open != nil {
		if err := f.open(); err != nil {
			return err
		}
	}
	f.opened++
	return nil
}

func (f *fake) Close() error             { f.closed++; return nil }
func (f *fake) Properties() []prop.Media { return f.formats }
func (f *fake) VideoRecord(prop.Media) (video.Reader, error) {
	if f.record != nil {
		return nil, f.record
	}
	return video.ReaderFunc(func() (image.Image, func(), error) {
		img, err := f.read()
		return img, nothing, err
	}), nil
}

func grey() image.Image {
	return image.NewYCbCr(image.Rect(0, 0, 32, 16), image.YCbCrSubsampleRatio420)
}

func small(format frame.Format) []prop.Media {
	return []prop.Media{{Video: prop.Video{Width: 32, Height: 16, FrameFormat: format, FrameRate: 30}}}
}

// plug connects a camera for the time of the test.
func plug(t *testing.T, f *fake, node, name string) {
	t.Helper()
	label := "usb-" + node + ";" + node
	if err := driver.GetManager().Register(f,
		driver.Info{Label: label, Name: name + ";usb-1", DeviceType: driver.Camera}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, d := range driver.GetManager().Query(func(d driver.Driver) bool { return d.Info().Label == label }) {
			driver.GetManager().Delete(d.ID())
		}
	})
}

var wanted = Settings{Width: 640, Height: 480, Rate: 30}

func TestFind(t *testing.T) {
	if len(Devices()) == 0 {
		if _, err := Find(""); !errors.Is(err, ErrNone) {
			t.Errorf("no camera: %v", err)
		}
	} else {
		t.Skip("this machine has a camera")
	}
	plug(t, &fake{}, "video10", "HD Pro Webcam C920")
	plug(t, &fake{}, "video2", "Integrated Camera")
	plug(t, &fake{}, "video4", "Integrated IR Camera")
	for want, path := range map[string]string{
		"": "/dev/video2", "10": "/dev/video10", "/dev/video4": "/dev/video4", "c920": "/dev/video10",
		"IR cam": "/dev/video4",
	} {
		if d, err := Find(want); err != nil || d.Path != path {
			t.Errorf("%q is %v (%v), want %s", want, d, err, path)
		}
	}
	for want, said := range map[string]string{
		"3": "there is /dev/video2 (Integrated Camera), /dev/video4 (Integrated IR Camera), /dev/video10 " +
			"(HD Pro Webcam C920)",
		"/dev/null": `no camera is called "/dev/null"`,
		"integrated": "fits several cameras: /dev/video2 (Integrated Camera), /dev/video4 (Integrated IR Camera); " +
			"name one by its path",
	} {
		if _, err := Find(want); err == nil || !strings.Contains(err.Error(), said) {
			t.Errorf("%q: %v, want %q in it", want, err, said)
		}
	}
	if d, err := Synthetic(wanted); err != nil || d.Path != "" || len(Devices()) != 3 {
		t.Errorf("a synthetic camera is in the list: %v, %v", Devices(), err)
	}
}

// run takes n frames of a device and ends it.
func run(t *testing.T, d Device, s Settings, n int) (frames []pipeline.Frame) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	err := d.Run(ctx, s, func(f *pipeline.Frame) {
		var kept pipeline.Frame
		kept.CopyFrom(f)
		if frames = append(frames, kept); len(frames) == n {
			stop()
		}
	})
	if len(frames) < n || !errors.Is(err, context.Canceled) {
		t.Fatalf("%d frames, want %d: %v", len(frames), n, err)
	}
	return frames
}

func TestSynthetic(t *testing.T) {
	s := Settings{Width: 320, Height: 240, Rate: 60}
	d, err := Synthetic(s)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // it can be opened again
		frames := run(t, d, s, 5)
		for i, f := range frames {
			if f.Width != 320 || f.Height != 240 || f.FullRange || f.RTP != uint32(i*1500) ||
				!f.Arrived.After(time.Now().Add(-time.Minute)) {
				t.Errorf("frame %d: %d by %d, RTP %d, %v", i, f.Width, f.Height, f.RTP, f.Arrived)
			}
			if i > 0 && slices.Equal(f.Y, frames[i-1].Y) {
				t.Errorf("frame %d is as the one before", i)
			}
		}
	}
}

// A camera whose reads fail is closed, said to be lost once, and opened until it is back; its clock goes on.
func TestLostAndRegained(t *testing.T) {
	unplugged := errors.New("no such device")
	reads, refusals := 0, 0
	f := &fake{formats: small(frame.FormatI420)}
	f.read = func() (image.Image, error) {
		if reads++; reads == 3 {
			return nil, unplugged
		}
		return grey(), nil
	}
	f.open = func() error {
		if reads == 3 && refusals < 2 {
			refusals++
			return syscall.ENODEV
		}
		return nil
	}
	d, err := install(f, "fake")
	if err != nil {
		t.Fatal(err)
	}
	var said []error
	s := wanted
	s.Changed = func(lost error) { said = append(said, lost) }
	frames := run(t, d, s, 6)
	if len(said) != 2 || !errors.Is(said[0], unplugged) || said[1] != nil {
		t.Errorf("said %v, want that it is lost, and back", said)
	}
	if f.opened != 2 || f.closed != 2 || refusals != 2 {
		t.Errorf("opened %d times, closed %d times, after %d refusals", f.opened, f.closed, refusals)
	}
	if gap := frames[2].RTP - frames[1].RTP; gap < 90*250*3 { // it waits 250 and then 500 ms at least
		t.Errorf("the clock went on by %d ticks", gap)
	}
	if !frames[2].Arrived.After(frames[1].Arrived) {
		t.Errorf("frame 2 is of %v, the one before of %v", frames[2].Arrived, frames[1].Arrived)
	}
}

// One frame that is damaged is left out; when nothing else comes the camera is lost.
func TestDamagedFrames(t *testing.T) {
	reads := 0
	f := &fake{formats: small(frame.FormatMJPEG)}
	f.read = func() (image.Image, error) {
		if reads++; reads%2 == 0 || reads > 10 && reads <= 10+damaged+1 {
			return nil, io.ErrUnexpectedEOF
		}
		return grey(), nil
	}
	d, err := install(f, "fake")
	if err != nil {
		t.Fatal(err)
	}
	var said []error
	s := wanted
	s.Changed = func(lost error) { said = append(said, lost) }
	for i, f := range run(t, d, s, 7) {
		if !f.FullRange {
			t.Errorf("frame %d of a JPEG is of limited range", i)
		}
	}
	if f.opened != 2 || len(said) != 2 || !errors.Is(said[0], io.ErrUnexpectedEOF) {
		t.Errorf("opened %d times, said %v", f.opened, said)
	}
}

// What keeps a camera from being opened in the beginning is an error with its cure.
func TestCannotOpen(t *testing.T) {
	for _, c := range []struct {
		fake *fake
		want string
	}{
		{&fake{open: func() error { return syscall.EACCES }}, "usermod -aG video"},
		{&fake{open: func() error { return fmt.Errorf("streaming: %w", syscall.EBUSY) }},
			"end the program that has it"},
		{&fake{open: func() error { return syscall.ENOENT }}, "plugged in"},
		{&fake{formats: small(frame.FormatI420), record: syscall.EBUSY}, "end the program that has it"},
		{&fake{}, "no pictures of a known format"},
		{&fake{formats: small(frame.FormatZ16)}, "no pictures of a known format"},
		{&fake{formats: small(frame.FormatI420), read: func() (image.Image, error) { return nil, io.EOF }},
			"read fake"},
	} {
		d, err := install(c.fake, "fake")
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Run(t.Context(), wanted, nil); err == nil || !strings.Contains(err.Error(), c.want) ||
			!strings.Contains(err.Error(), "fake") {
			t.Errorf("%v, want %q in it", err, c.want)
		}
		if c.fake.opened != c.fake.closed {
			t.Errorf("%s: opened %d times, closed %d times", c.want, c.fake.opened, c.fake.closed)
		}
	}
}

func TestTicks(t *testing.T) {
	for d, want := range map[time.Duration]uint32{
		0: 0, time.Second: 90000, 33333333: 3000, time.Hour: 324000000, 14 * time.Hour: 241032704,
		365 * 24 * time.Hour: 3561584640,
	} {
		if got := ticks(d); got != want {
			t.Errorf("%v is %d ticks, want %d", d, got, want)
		}
	}
}
