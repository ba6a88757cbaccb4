package media

import (
	"bytes"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"mindflow/cmd/mindflow/internal/clitest"
	"mindflow/pipeline"
)

// TestFrontDetectorFindsLargeFace: both detectors find a face that fills a third of the picture in the same place.
func TestFrontDetectorFindsLargeFace(t *testing.T) {
	file := clitest.Portrait(t)
	found, err := read(t, file, "--max-faces", "1")
	if err != nil {
		t.Fatal(err)
	}
	if len(found[file].Faces) == 0 {
		t.Fatal("no face is found in the whole picture")
	}
	photo, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer photo.Close()
	whole, err := jpeg.Decode(photo)
	if err != nil {
		t.Fatal(err)
	}
	size := whole.Bounds().Size()
	w, h := float32(size.X), float32(size.Y)
	box := boxOf(found[file].Faces[0].Box)
	side := int(3 * max(box.W*w, box.H*h))
	corner := image.Pt(int((box.X+box.W/2)*w)-side/2, int((box.Y+box.H/2)*h)-side/2)
	near := image.Rect(0, 0, side, side).Add(corner).Intersect(image.Rectangle{Max: size})
	var out bytes.Buffer
	if err := png.Encode(&out, whole.(*image.YCbCr).SubImage(near)); err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(t.TempDir(), "near.png")
	if err := os.WriteFile(cut, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	want := pipeline.Box{X: (box.X*w - float32(near.Min.X)) / float32(near.Dx()),
		Y: (box.Y*h - float32(near.Min.Y)) / float32(near.Dy()),
		W: box.W * w / float32(near.Dx()), H: box.H * h / float32(near.Dy())}
	for _, detector := range []string{"blazeface-back", "blazeface-front"} {
		got, err := read(t, cut, "--max-faces", "1", "--detector", detector)
		if err != nil {
			t.Fatal(err)
		}
		faces := got[cut].Faces
		if len(faces) != 1 || boxOf(faces[0].Box).IoU(want) < 0.6 || faces[0].Box[2] < 0.25 {
			t.Errorf("%s finds %+v, want a face at %+v", detector, faces, want)
		}
	}
}

func boxOf(b [4]float32) pipeline.Box { return pipeline.Box{X: b[0], Y: b[1], W: b[2], H: b[3]} }
