package avfile

import (
	"fmt"
	"testing"

	"mindflow/pipeline"
)

// Pictures whose pixels are not square are stretched, near to what ffmpeg's scaler makes of them. Small differences
// and absurd ones are left as they are.
func TestPixelAspect(t *testing.T) {
	for _, c := range []struct {
		aspect string
		w, h   int
	}{
		{"1/1", 320, 180}, {"32/11", 931, 180}, {"16/15", 341, 180}, {"9/10", 320, 200}, {"1/2", 320, 360},
		{"1216/1215", 320, 180}, {"100/1", 320, 180},
	} {
		for name, codec := range map[string][]string{"a.mp4": {"-c:v", "libx264"}, "a.mkv": {"-c:v", "ffv1"},
			"a.ts": {"-c:v", "mpeg4"}} {
			file := makeVideo(t, name, append(append(moving, "-frames:v", "2", "-vf", "setsar="+c.aspect),
				codec...)...)
			f, bgr := first(t, file)
			if f.Width != c.w || f.Height != c.h || bgr != [2]int{c.w, c.h} {
				t.Errorf("%s of aspect %s: %dx%d, BGR %v, want %dx%d", name, c.aspect, f.Width, f.Height, bgr, c.w,
					c.h)
				continue
			}
			want := readFile(t, makeVideo(t, "want.yuv", "-i", file, "-frames:v", "1", "-vf",
				fmt.Sprintf("scale=%d:%d", c.w, c.h), "-pix_fmt", "yuv420p"))
			if off := difference(planes(&f), want); off > 2 {
				t.Errorf("%s of aspect %s differs from ffmpeg's by %.1f of 255", name, c.aspect, off)
			}
		}
	}
}

// A picture of the largest size is not enlarged: its other side shrinks.
func TestPixelAspectAtTheLimit(t *testing.T) {
	for aspect, want := range map[string][2]int{"4/1": {5200, 1300}, "1/4": {1300, 5200}} {
		f, _ := first(t, makeVideo(t, "a.mkv", "-f", "lavfi", "-i", "color=size=5200x5200:rate=1:duration=1", "-vf",
			"setsar="+aspect, "-c:v", "rawvideo", "-frames:v", "1"))
		if f.Width != want[0] || f.Height != want[1] {
			t.Errorf("aspect %s: %dx%d, want %v", aspect, f.Width, f.Height, want)
		}
	}
}

// Lying pixels stand after the turn.
func TestPixelAspectOfATurnedVideo(t *testing.T) {
	wide := makeVideo(t, "wide.mp4", append(moving, "-frames:v", "2", "-vf", "setsar=2/1", "-c:v", "libx264")...)
	f, _ := first(t, makeVideo(t, "turned.mp4", "-i", wide, "-c", "copy", "-metadata:s:v:0", "rotate=90"))
	if f.Width != 180 || f.Height != 640 {
		t.Errorf("%dx%d, want 180x640", f.Width, f.Height)
	}
}

// first returns a copy of the first picture of a video, and its size in BGR.
func first(t *testing.T, file string) (f pipeline.Frame, bgr [2]int) {
	t.Helper()
	v, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	lent, _, err := v.Next()
	if err != nil {
		t.Fatal(err)
	}
	f.CopyFrom(lent)
	pixels, w, h, err := v.BGR()
	if err != nil || len(pixels) != 3*w*h {
		t.Fatalf("%d bytes for %dx%d, %v", len(pixels), w, h, err)
	}
	return f, [2]int{w, h}
}

// What camcorders and DVDs store is 16:9.
func TestPixelAspectOfDVAndDVD(t *testing.T) {
	for name, target := range map[string]string{"a.dv": "pal-dv", "a.mpg": "pal-dvd", "a.vob": "pal-dvd"} {
		f, _ := first(t, makeVideo(t, name, append(moving, "-t", "0.5", "-target", target, "-aspect", "16:9")...))
		if f.Width != 1024 || f.Height != 576 {
			t.Errorf("%s: %dx%d, want 1024x576", name, f.Width, f.Height)
		}
	}
}
