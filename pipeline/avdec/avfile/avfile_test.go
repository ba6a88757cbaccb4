package avfile

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mindflow/pipeline"
	"mindflow/pipeline/testkit"
)

var makeVideo, probe, readFile, moving, uneven = testkit.MakeVideo, testkit.Probe, testkit.ReadFile, testkit.Moving,
	testkit.Uneven

// times reads a whole video.
func times(t *testing.T, file string) (at []time.Duration, w, h int) {
	t.Helper()
	v, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	return testkit.FrameTimes(t, v.Next)
}

// The times are the container's, as ffprobe tells them, whatever the rate.
func TestVideoTimes(t *testing.T) {
	cases := []struct {
		name   string
		args   []string
		frames int
	}{
		{"even.mp4", append(moving, "-c:v", "libx264"), 50},
		{"uneven.mp4", append(uneven, "-c:v", "libx264"), 16},
		{"in-order.mp4", append(uneven, "-c:v", "libx264", "-bf", "0"), 16},
		{"uneven.mkv", append(uneven, "-c:v", "libx264"), 16},
		{"uneven.mov", append(uneven, "-c:v", "mpeg4"), 16},
		{"vp8.webm", append(uneven, "-c:v", "libvpx", "-deadline", "realtime"), 16},
		{"vp9.webm", append(uneven, "-c:v", "libvpx-vp9", "-deadline", "realtime"), 16},
		{"late.ts", append(moving, "-c:v", "libx264", "-muxdelay", "2"), 50},
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
			for i, at := range got {
				if math.Abs(at.Seconds()-(want[i]-start)) > 0.001 {
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

// planes are f's samples without gaps.
func planes(f *pipeline.Frame) []byte {
	var c pipeline.Frame
	c.CopyFrom(f)
	return slices.Concat(c.Y, c.U, c.V)
}

// Every kind of pixels becomes 8-bit 4:2:0, near to what ffmpeg makes of it.
func TestVideoConverts(t *testing.T) {
	for name, args := range map[string][]string{
		"422.mp4": {"-pix_fmt", "yuv422p"}, "444.mp4": {"-pix_fmt", "yuv444p"},
		"10bit.mp4": {"-pix_fmt", "yuv420p10le"},
		"grey.mp4":  {"-pix_fmt", "gray"}, "rgb.mkv": {"-c:v", "libx264rgb"},
		"full.mov": {"-c:v", "mjpeg", "-pix_fmt", "yuvj422p"},
		"a.gif":    nil, "odd.mkv": {"-vf", "crop=317:177:0:0", "-pix_fmt", "yuv444p"},
		"raw.avi": {"-c:v", "rawvideo", "-pix_fmt", "bgr24"},
	} {
		t.Run(name, func(t *testing.T) {
			file := makeVideo(t, name, append(append(moving, "-frames:v", "2"), args...)...)
			v, err := Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer v.Close()
			f, _, err := v.Next()
			if err != nil {
				t.Fatal(err)
			}
			levels := map[bool]string{false: "tv", true: "pc"}[f.FullRange]
			want := readFile(t, makeVideo(t, "want.yuv", "-i", file, "-frames:v", "1", "-vf", "scale=out_range="+levels,
				"-pix_fmt", "yuv420p"))
			got := planes(f)
			if len(got) != len(want) {
				t.Fatalf("%d samples, want %d", len(got), len(want))
			}
			if off := difference(got, want); off > 1.5 {
				t.Errorf("the first picture differs by %.1f of 255", off)
			}
		})
	}
}

// difference returns by how much samples differ on average; it is infinite where their numbers differ.
func difference(a, b []byte) float64 {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	sum := 0.0
	for i := range a {
		sum += math.Abs(float64(a[i]) - float64(b[i]))
	}
	return sum / float64(len(a))
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
		{makeVideo(t, "picture.bmp", append(moving, "-frames:v", "1")...), "use mindflow image"},
		{write("picture.heic", "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"), "convert it to JPEG"},
	}
	for _, c := range cases {
		v, err := Open(c.path)
		if err == nil {
			v.Close()
			t.Errorf("%s was opened", c.path)
			continue
		}
		if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.path) ||
			strings.Contains(err.Error(), "\n") {
			t.Errorf("error %q, want one line with %q and the path", err, c.want)
		}
	}
}

// Of a file that is cut short as much is read as there is, and it is said that something is missing.
func TestVideoCutShort(t *testing.T) {
	for name, args := range map[string][]string{
		"a.mp4": {"-c:v", "libx264", "-movflags", "faststart"}, "a.mkv": {"-c:v", "libx264"},
		"a.avi": {"-c:v", "mpeg4"},
		"a.ts":  {"-c:v", "libx264"}, "live.webm": {"-c:v", "libvpx", "-live", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			file := makeVideo(t, name, append(moving, args...)...)
			info, err := os.Stat(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(file, info.Size()/2+1); err != nil {
				t.Fatal(err)
			}
			frames, _, err := rest(t, file)
			if frames < 5 || frames > 45 {
				t.Errorf("%d of 50 frames were read", frames)
			}
			if err == nil || !strings.Contains(err.Error(), "cut short") ||
				!strings.Contains(err.Error(), fmt.Sprintf("%d frames", frames)) {
				t.Errorf("at the end %v", err)
			}
		})
	}
}
