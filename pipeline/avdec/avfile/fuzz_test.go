package avfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"mindflow/pipeline"
)

// FuzzVideo reads a file of any bytes, as a video: containers and codecs of FFmpeg's.
func FuzzVideo(f *testing.F) {
	short := append(moving, "-frames:v", "4", "-vf", "scale=32:18")
	for name, codec := range map[string]string{
		"a.mp4": "libx264", "a.mov": "mpeg4", "a.mkv": "libx264", "a.webm": "libvpx", "a.avi": "mpeg4", "a.ts": "mpeg2video",
		"a.ogv": "libtheora", "a.flv": "flv", "a.wmv": "wmv2", "a.gif": "gif", "a.y4m": "wrapped_avframe", "a.h264": "libx264",
	} {
		f.Add(readFile(f, makeVideo(f, name, append(short, "-c:v", codec)...)))
	}
	for _, name := range []string{"a.mp4", "a.webm", "a.ts"} {
		whole, _ := resized(f, name, "32x18", "18x32")
		f.Add(readFile(f, whole))
	}
	path := filepath.Join(f.TempDir(), "video")
	var all pipeline.Frame
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		v, err := Open(path)
		if err != nil {
			return
		}
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
			all.CopyFrom(f)
		}
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	})
}
