package vpx

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"mindflow/pipeline"
	"mindflow/pipeline/avdec"
)

// scene is a textured picture that moves, of a moment in 30ths of a second.
func scene(w, h, n int) *pipeline.Frame {
	cw, ch := (w+1)/2, (h+1)/2
	f := &pipeline.Frame{Width: w, Height: h, YStride: w, CStride: cw,
		Y: make([]byte, w*h), U: make([]byte, cw*ch), V: make([]byte, cw*ch),
		RTP: uint32(n) * 3000, Arrived: time.Unix(1e9, 0).Add(time.Duration(n) * time.Second / 30)}
	for y := range h {
		for x := range w {
			f.Y[y*w+x] = byte(60 + (x+3*n)%120 + (y*7)%37)
		}
	}
	for i := range f.U {
		f.U[i], f.V[i] = 110, 150
	}
	return f
}

func open(t *testing.T, w, h, bitrate int) *Encoder {
	t.Helper()
	before := Live()
	e, err := Open(w, h, bitrate)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for range 2 {
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		}
		if now := Live(); now != before {
			t.Errorf("%d encoders are open, want %d", now, before)
		}
	})
	return e
}

// What is coded decodes to nearly the same picture, of every size: one unit a frame, the first a key unit
// and others when asked for.
func TestRoundTrip(t *testing.T) {
	for _, size := range [][2]int{{320, 240}, {322, 242}, {161, 121}, {16, 16}} {
		w, h := size[0], size[1]
		t.Run(fmt.Sprintf("%dx%d", w, h), func(t *testing.T) {
			e := open(t, w, h, 4_000_000)
			d, err := avdec.Open(pipeline.VP8, avdec.DefaultMaxPixels)
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			for n := range 12 {
				src := scene(w, h, n)
				unit, err := e.Encode(src, n == 7)
				if err != nil {
					t.Fatal(err)
				}
				if unit.Key != (n == 0 || n == 7) || unit.RTP != src.RTP || !unit.Arrived.Equal(src.Arrived) {
					t.Errorf("unit %d: key %v, RTP %d", n, unit.Key, unit.RTP)
				}
				frames := 0
				if err := d.Decode(unit, func(f *pipeline.Frame) {
					frames++
					if off := difference(src, f); f.Width != w || f.Height != h || off > 8 {
						t.Errorf("frame %d is %d by %d, a mean of %.1f off", n, f.Width, f.Height, off)
					}
				}); err != nil || frames != 1 {
					t.Fatalf("unit %d gave %d frames: %v", n, frames, err)
				}
			}
		})
	}
}

// difference is the mean over the luma samples.
func difference(a, b *pipeline.Frame) float64 {
	sum := 0
	for y := range a.Height {
		for x := range a.Width {
			sum += max(int(a.Y[y*a.YStride+x])-int(b.Y[y*b.YStride+x]), int(b.Y[y*b.YStride+x])-int(a.Y[y*a.YStride+x]))
		}
	}
	return float64(sum) / float64(a.Width*a.Height)
}

// The rate is held by the frames' own times: over seconds, and at half the frame rate.
func TestBitrate(t *testing.T) {
	for _, every := range []int{1, 2} {
		e := open(t, 320, 240, 200_000)
		const seconds = 6
		sizes := make([]int, seconds)
		for n := 0; n < 30*seconds; n += every {
			unit, err := e.Encode(scene(320, 240, n), false)
			if err != nil {
				t.Fatal(err)
			}
			sizes[n/30] += 8 * len(unit.Data)
		}
		for second, bits := range sizes[1:] {
			if bits > 300_000 {
				t.Errorf("every frame of %d: second %d has %d bits, want about 200000", every, second+1, bits)
			}
		}
	}
}

// A frame of full range arrives as the limited one that decoders take it for; the caller's stays as it is.
func TestFullRange(t *testing.T) {
	e := open(t, 64, 64, 1_000_000)
	d, err := avdec.Open(pipeline.VP8, avdec.DefaultMaxPixels)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	f := scene(64, 64, 0)
	for i := range f.Y {
		f.Y[i] = 255
	}
	for i := range f.U {
		f.U[i], f.V[i] = 0, 255
	}
	f.FullRange = true
	unit, err := e.Encode(f, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Decode(unit, func(got *pipeline.Frame) {
		for i, want := range []byte{235, 16, 240} {
			v := [][]byte{got.Y, got.U, got.V}[i][17]
			if v < want-2 || v > want+2 {
				t.Errorf("plane %d is %d, want %d", i, v, want)
			}
		}
	}); err != nil {
		t.Error(err)
	}
	if f.Y[0] != 255 || f.U[0] != 0 {
		t.Error("the caller's frame was changed")
	}
}

// A clock that stands still or goes back is no reason to stop.
func TestTimes(t *testing.T) {
	e := open(t, 64, 64, 1_000_000)
	for i, n := range []int{0, 0, 5, 3, 90 * 60 * 30, 0} {
		if _, err := e.Encode(scene(64, 64, n), false); err != nil {
			t.Errorf("frame %d: %v", i, err)
		}
	}
}

func TestRefuses(t *testing.T) {
	for _, c := range []struct {
		w, h, bitrate int
		want          string
	}{
		{0, 480, 1_000_000, "0 by 480"},
		{640, 16384, 1_000_000, "1 to 16383"},
		{640, 480, 29_999, "30000 to 50000000"},
		{640, 480, 50_000_001, "30000 to 50000000"},
	} {
		if _, err := Open(c.w, c.h, c.bitrate); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	e := open(t, 64, 64, 1_000_000)
	if _, err := e.Encode(scene(66, 64, 0), false); err == nil || !strings.Contains(err.Error(), "66 by 64") {
		t.Errorf("a frame of another size: %v", err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Encode(scene(64, 64, 0), false); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("a closed encoder: %v", err)
	}
	if !strings.HasPrefix(Version(), "v1.") {
		t.Errorf("version %q", Version())
	}
}

func BenchmarkEncode(b *testing.B) {
	e, err := Open(640, 480, 1_000_000)
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	frames := make([]*pipeline.Frame, 60)
	for n := range frames {
		frames[n] = scene(640, 480, n)
	}
	for n := 0; b.Loop(); n++ {
		f := frames[n%len(frames)]
		f.Arrived = time.Unix(1e9, 0).Add(time.Duration(n) * time.Second / 30)
		if _, err := e.Encode(f, false); err != nil {
			b.Fatal(err)
		}
	}
}
