package ort

import (
	"image"
	"image/jpeg"
	"os"
	"testing"

	"mindflow/pipeline"
	"mindflow/pipeline/testkit"
)

// picture reads a JPEG file as a frame in full range. Of finer chroma it takes every second sample.
func picture(t testing.TB, path string) *pipeline.Frame {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	decoded, err := jpeg.Decode(file)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	img, ok := decoded.(*image.YCbCr)
	if !ok {
		t.Fatalf("%s is not in colour", path)
	}
	f := &pipeline.Frame{
		Width: img.Rect.Dx(), Height: img.Rect.Dy(), FullRange: true,
		Y: img.Y, YStride: img.YStride, CStride: (img.Rect.Dx() + 1) / 2,
	}
	for y := 0; y < f.Height; y += 2 {
		for x := 0; x < f.Width; x += 2 {
			at := img.COffset(x, y)
			f.U, f.V = append(f.U, img.Cb[at]), append(f.V, img.Cr[at])
		}
	}
	return f
}

// four returns a photograph of four faces side by side, from a package that the browser tests install, and the
// positions of the noses.
func four(t testing.TB) (*pipeline.Frame, []pipeline.Point) {
	t.Helper()
	path := testkit.File(t, "../../node_modules/@vladmandic/face-api/demo/sample6.jpg",
		`run "make test", which installs it`)
	return picture(t, path), []pipeline.Point{{X: 0.195, Y: 0.42}, {X: 0.40, Y: 0.33}, {X: 0.67, Y: 0.30},
		{X: 0.83, Y: 0.28}}
}
