package vision

import (
	"errors"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// makeVideo runs ffmpeg and gives the file it makes.
func makeVideo(t testing.TB, name string, args ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), name)
	args = append(append([]string{"-loglevel", "error"}, args...), out)
	if text, err := exec.Command("ffmpeg", args...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg %v: %v: %s", args, err, text)
	}
	return out
}

// moving is a source of 50 pictures of 320 by 180, 25 a second; uneven keeps 16 of them.
var (
	moving = []string{"-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=2"}
	uneven = append(moving, "-vf", "select='not(mod(n,5))+not(mod(n,7))'", "-vsync", "vfr")
)

// probe asks ffprobe for one value a line.
func probe(t *testing.T, file, entries string) []float64 {
	t.Helper()
	text, err := exec.Command("ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", entries, "-of", "csv=p=0", file).Output()
	if err != nil {
		t.Fatal("ffprobe:", err)
	}
	var values []float64
	for field := range strings.FieldsFuncSeq(string(text), func(r rune) bool { return r == ',' || r == '\n' }) {
		v, err := strconv.ParseFloat(field, 64)
		if err != nil {
			t.Fatalf("ffprobe says %q", field)
		}
		values = append(values, v)
	}
	return values
}

// times reads a whole video.
func times(t *testing.T, file string) (at []time.Duration, w, h int) {
	t.Helper()
	v, err := OpenVideo(file)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	for {
		p, now, err := v.Next()
		if errors.Is(err, io.EOF) {
			return at, w, h
		}
		if err != nil {
			t.Fatal(err)
		}
		at = append(at, now)
		w, h = p.Size()
	}
}

// The times are the container's, as ffprobe tells them, whatever the rate. Of pictures that were coded out
// of order the last ones, held, have none from OpenCV: they are estimates, no more than a gap off.
func TestVideoTimes(t *testing.T) {
	cases := []struct {
		name   string
		args   []string
		frames int
		held   int
	}{
		{"even.mp4", append(moving, "-c:v", "libx264"), 50, 0},
		{"uneven.mp4", append(uneven, "-c:v", "libx264"), 16, 2},
		{"in-order.mp4", append(uneven, "-c:v", "libx264", "-bf", "0"), 16, 0},
		{"uneven.mkv", append(uneven, "-c:v", "libx264"), 16, 2},
		{"uneven.mov", append(uneven, "-c:v", "mpeg4"), 16, 0},
		{"vp8.webm", append(uneven, "-c:v", "libvpx", "-deadline", "realtime"), 16, 0},
		{"vp9.webm", append(uneven, "-c:v", "libvpx-vp9", "-deadline", "realtime"), 16, 0},
		{"late.ts", append(moving, "-c:v", "libx264", "-muxdelay", "2"), 50, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			file := makeVideo(t, c.name, c.args...)
			got, w, h := times(t, file)
			want := probe(t, file, "frame=best_effort_timestamp_time")
			start := probe(t, file, "stream=start_time")[0]
			if len(got) != c.frames || len(want) != c.frames || w != 320 || h != 180 {
				t.Fatalf("%d frames of %dx%d, ffprobe counts %d, want %d", len(got), w, h, len(want), c.frames)
			}
			gap := 0.0
			for i := range want[1:] {
				gap = max(gap, want[i+1]-want[i])
			}
			for i, at := range got {
				allowed := 0.001
				if i >= len(got)-c.held {
					allowed = gap
				}
				if off := math.Abs(at.Seconds() - (want[i] - start)); off > allowed {
					t.Errorf("frame %d is at %v, ffprobe says %.4f s", i, at, want[i]-start)
				}
				if i > 0 && at <= got[i-1] {
					t.Errorf("frame %d at %v does not follow %v", i, at, got[i-1])
				}
			}
		})
	}
}

// A bare stream has no times: the pictures follow each other evenly.
func TestBareStream(t *testing.T) {
	got, _, _ := times(t, makeVideo(t, "bare.h264", append(moving, "-c:v", "libx264")...))
	for i := 2; i < len(got); i++ {
		if a, b := got[i]-got[i-1], got[i-1]-got[i-2]; a <= 0 || (a-b).Abs() > time.Millisecond {
			t.Errorf("frame %d comes %v after the last, that one %v", i, a, b)
		}
	}
	if len(got) != 50 {
		t.Errorf("%d frames", len(got))
	}
}

// A picture comes upright, as ffmpeg turns it.
func TestVideoTurnsUpright(t *testing.T) {
	lying := makeVideo(t, "lying.mp4", append(moving, "-c:v", "libx264")...)
	for _, turn := range []string{"0", "90", "180", "270"} {
		file := makeVideo(t, "turned.mp4", "-i", lying, "-c", "copy", "-metadata:s:v:0", "rotate="+turn)
		want, err := Read(makeVideo(t, "want.png", "-i", file, "-frames:v", "1"))
		if err != nil {
			t.Fatal(err)
		}
		v, err := OpenVideo(file)
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := v.Next()
		if err != nil {
			t.Fatal(err)
		}
		if off := difference(t, got, want); off > 3 {
			t.Errorf("turned by %s: the first picture differs by %.1f of 255", turn, off)
		}
		if err := errors.Join(v.Close(), want.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// difference is the mean of the absolute differences in brightness, 255 when the sizes differ.
func difference(t *testing.T, a, b *Picture) float64 {
	t.Helper()
	f, err := a.Frame()
	if err != nil {
		t.Fatal(err)
	}
	g, err := b.Frame()
	if err != nil {
		t.Fatal(err)
	}
	if f.Width != g.Width || f.Height != g.Height {
		return 255
	}
	sum := 0.0
	for i := range f.Y {
		sum += math.Abs(float64(f.Y[i]) - float64(g.Y[i]))
	}
	return sum / float64(len(f.Y))
}

func TestVideoRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(name, data string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	tone := []string{"-f", "lavfi", "-i", "sine=duration=1"}
	whole, err := os.ReadFile(makeVideo(t, "whole.mp4", append(moving, "-c:v", "libx264")...))
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct{ path, want string }{
		{filepath.Join(dir, "absent.mp4"), "no such file"},
		{dir, "it is a folder"},
		{os.DevNull, "not a regular file"},
		{write("empty.mp4", ""), "empty"},
		{write("text.mp4", "a letter, not a video"), "not a video of a known format"},
		{write("list.m3u8", "#EXTM3U\n#EXTINF:1,\nother.ts\n"), "not a video of a known format"},
		{write("short.mp4", "\x00"), "not a video of a known format"},
		{write("index lost.mp4", string(whole[:len(whole)/2])), "cut short"}, // ffmpeg writes it last
		{write("head only.mp4", string(whole[:32])), "no video track"},
		{makeVideo(t, "sound.m4a", tone...), "sound only"},
		{makeVideo(t, "sound.mp4", tone...), "sound only"},
		{makeVideo(t, "sound.wav", tone...), "sound only"},
		{makeVideo(t, "sound.ogg", append(tone, "-c:a", "libvorbis")...), "sound only"},
		{makeVideo(t, "picture.png", append(moving, "-frames:v", "1")...), "use mindflow image"},
	}
	for _, c := range cases {
		v, err := OpenVideo(c.path)
		if err == nil {
			v.Close()
			t.Errorf("%s was opened", c.path)
			continue
		}
		if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.path) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %q, want one line with %q and the path", err, c.want)
		}
	}
}

// Of a file that is cut short as much is read as there is, and what is missing is known.
func TestVideoCutShort(t *testing.T) {
	for name, args := range map[string][]string{
		"a.mp4": {"-c:v", "libx264", "-movflags", "faststart"}, "a.mkv": {"-c:v", "libx264"}, "a.avi": {"-c:v", "mpeg4"},
	} {
		t.Run(name, func(t *testing.T) {
			file := makeVideo(t, name, append(moving, args...)...)
			info, err := os.Stat(file)
			if err != nil {
				t.Fatal(err)
			}
			missing := info.Size() / 2
			if err := os.Truncate(file, info.Size()-missing); err != nil {
				t.Fatal(err)
			}
			v, err := OpenVideo(file)
			if err != nil {
				t.Fatal(err)
			}
			if v.Missing != missing {
				t.Errorf("%d bytes are said to be missing, want %d", v.Missing, missing)
			}
			if err := v.Close(); err != nil {
				t.Fatal(err)
			}
			if at, _, _ := times(t, file); len(at) < 5 || len(at) > 45 {
				t.Errorf("%d of 50 frames were read", len(at))
			}
		})
	}
}
