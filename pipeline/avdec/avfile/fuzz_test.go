package avfile

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"mindflow/pipeline"
	"mindflow/pipeline/testkit"
)

// FuzzVideo reads a file of any bytes, as a video: containers and codecs of FFmpeg's.
func FuzzVideo(f *testing.F) {
	short := append(moving, "-frames:v", "4", "-vf", "scale=32:18")
	for name, codec := range map[string]string{
		"a.mp4": "libx264", "a.mov": "mpeg4", "a.mkv": "libx264", "a.webm": "libvpx", "a.avi": "mpeg4",
		"a.ts":  "mpeg2video",
		"a.ogv": "libtheora", "a.flv": "flv", "a.wmv": "wmv2", "a.gif": "gif", "a.y4m": "wrapped_avframe",
		"a.h264": "libx264",
	} {
		f.Add(readFile(f, makeVideo(f, name, append(short, "-c:v", codec)...)))
	}
	for _, name := range []string{"a.mp4", "a.webm", "a.ts"} {
		whole, _ := resized(f, name, "32x18", "18x32")
		f.Add(readFile(f, whole))
	}
	path := filepath.Join(f.TempDir(), "video")
	f.Fuzz(func(t *testing.T, data []byte) {
		readAny(t, path, data)
	})
}

// FuzzDamagedVideo reads real files that are damaged as a script says, which gets further into demuxers and decoders
// than bytes of a fuzzer's own.
func FuzzDamagedVideo(f *testing.F) {
	var files [][][]byte
	for i, name := range []string{"a.webm", "a.ts", "a.mp4"} {
		whole, _ := resized(f, name, "64x48", "48x64")
		files = append(files, slices.Collect(slices.Chunk(readFile(f, whole), 188)))
		f.Add(uint8(i), []byte{})
		for what := range byte(16) { // a change of each kind, in the header and after it
			f.Add(uint8(i), []byte{what, 0, 0, 5, 0x55, 9, what, 9, 0, 6, 0xff, 1})
		}
	}
	path := filepath.Join(f.TempDir(), "video")
	f.Fuzz(func(t *testing.T, which uint8, script []byte) {
		readAny(t, path, bytes.Join(testkit.Damage(files[int(which)%len(files)], script), nil))
	})
}

// readAny reads data as a video. An error is as good an answer as a frame.
func readAny(t *testing.T, path string, data []byte) {
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	v, err := Open(path)
	if err != nil {
		return
	}
	var all pipeline.Frame
	last := time.Duration(0)
	for n := range 20 {
		f, at, err := v.Next()
		if err != nil {
			if errors.Is(err, io.EOF) == (n == 0) {
				t.Errorf("picture %d: %v", n, err)
			}
			break
		}
		if w, h := f.Width, f.Height; w < 1 || h < 1 || w > maxPixels/h || at < last || n > 0 && at == last {
			t.Errorf("picture %d is %dx%d, at %v after %v", n, w, h, at, last)
		}
		last = at
		all.CopyFrom(f) // reads every byte of it
		if bgr, w, h, err := v.BGR(); err != nil || len(bgr) != 3*w*h {
			t.Errorf("%d bytes for %dx%d: %v", len(bgr), w, h, err)
		}
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
}
