package vision

import (
	"bytes"
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
	table := &image.Paletted{Pix: make([]byte, 24*17), Stride: 24, Rect: colours.Rect,
		Palette: color.Palette{color.White, color.Black}}
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
