package vision

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// FuzzPicture reads a file of any bytes, as a picture. OpenCV throws where it does not answer, which
// ends the process.
func FuzzPicture(f *testing.F) {
	colours := image.NewRGBA(image.Rect(0, 0, 24, 17))
	for i := range colours.Pix {
		colours.Pix[i] = byte(i * 37)
	}
	grey := &image.Gray16{Pix: colours.Pix, Stride: 48, Rect: colours.Rect}
	table := &image.Paletted{Pix: make([]byte, 24*17), Stride: 24, Rect: colours.Rect, Palette: color.Palette{color.White, color.Black}}
	for _, img := range []image.Image{colours, grey, table} {
		for _, encode := range []func(io.Writer, image.Image) error{
			png.Encode, bmp.Encode,
			func(w io.Writer, m image.Image) error { return jpeg.Encode(w, m, nil) },
			func(w io.Writer, m image.Image) error { return tiff.Encode(w, m, nil) },
			func(w io.Writer, m image.Image) error {
				return tiff.Encode(w, m, &tiff.Options{Compression: tiff.Deflate, Predictor: true})
			},
		} {
			var data bytes.Buffer
			if err := encode(&data, img); err != nil {
				f.Fatal(err)
			}
			f.Add(data.Bytes())
		}
	}
	for _, name := range []string{"a.webp", "a.png", "a.jpg", "a.tiff"} {
		f.Add(readFile(f, makeVideo(f, name, append(moving, "-frames:v", "1", "-vf", "scale=32:18")...)))
	}
	path := filepath.Join(f.TempDir(), "picture")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := Read(path)
		if err != nil {
			return
		}
		frame, err := p.Frame()
		if err != nil {
			t.Errorf("what was read cannot be used: %v", err)
		} else if w, h := p.Size(); frame.Width != w || frame.Height != h || w*h > MaxPixels {
			t.Errorf("a picture of %dx%d became a frame of %dx%d", w, h, frame.Width, frame.Height)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

// FuzzVideo reads a file of any bytes, as a video: containers and codecs of FFmpeg's, behind OpenCV.
func FuzzVideo(f *testing.F) {
	short := append(moving, "-frames:v", "4", "-vf", "scale=32:18")
	for name, codec := range map[string]string{
		"a.mp4": "libx264", "a.mov": "mpeg4", "a.mkv": "libx264", "a.webm": "libvpx", "a.avi": "mpeg4", "a.ts": "mpeg2video",
		"a.ogv": "libtheora", "a.flv": "flv", "a.wmv": "wmv2", "a.gif": "gif", "a.y4m": "wrapped_avframe", "a.h264": "libx264",
	} {
		f.Add(readFile(f, makeVideo(f, name, append(short, "-c:v", codec)...)))
	}
	path := filepath.Join(f.TempDir(), "video")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		v, err := OpenVideo(path)
		if err != nil {
			return
		}
		last := v.at
		for n := range 20 {
			p, at, err := v.Next()
			if err != nil {
				if errors.Is(err, io.EOF) == (n == 0) {
					t.Errorf("picture %d: %v", n, err)
				}
				break
			}
			if w, h := p.Size(); w < 1 || h < 1 || w*h > MaxPixels || at < last || n > 0 && at == last {
				t.Errorf("picture %d is %dx%d, at %v after %v", n, w, h, at, last)
			}
			last = at
			if _, err := p.Frame(); err != nil {
				t.Error(err)
			}
		}
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	})
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
