package vision

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mindflow/pipeline"
)

// save writes a picture whose left half is one colour and right half another.
func save(t *testing.T, name string, w, h int, left, right color.RGBA) string {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetRGBA(x, y, left)
			if x >= w/2 {
				img.SetRGBA(x, y, right)
			}
		}
	}
	var buf bytes.Buffer
	var err error
	if strings.HasSuffix(name, ".png") {
		err = png.Encode(&buf, img)
	} else {
		err = jpeg.Encode(&buf, img, &jpeg.Options{Quality: 95})
	}
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, buf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

var rgb = pipeline.Input{Size: 8, Layout: pipeline.NHWC, Colour: pipeline.RGB, Channels: 3, Scale: 1,
	Std: [3]float32{1, 1, 1}}

func TestReadGivesTheColoursBack(t *testing.T) {
	left, right := color.RGBA{200, 40, 90, 255}, color.RGBA{10, 120, 240, 255}
	for _, size := range []image.Point{{64, 48}, {65, 49}, {33, 80}, {2, 2}} {
		for _, name := range []string{"a.png", "a.jpg"} {
			p, err := Read(save(t, name, size.X, size.Y, left, right))
			if err != nil {
				t.Fatal(err)
			}
			f, err := p.Frame()
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Close(); err != nil {
				t.Fatal(err)
			}
			if f.Width != size.X || f.Height != size.Y {
				t.Fatalf("%v became %dx%d", size, f.Width, f.Height)
			}
			if size.X < 8 {
				continue // one chroma sample for both colours
			}
			dst := make([]float32, rgb.Len())
			pipeline.NewSampler(rgb).Crop(pipeline.Crop{Values: dst}, f,
				pipeline.Region{W: float32(size.X), H: float32(size.Y)})
			for i, want := range map[int]color.RGBA{4 * 8 * 3: left, (4*8 + 7) * 3: right} {
				for c, v := range []uint8{want.R, want.G, want.B} {
					if got := dst[i+c]; math.Abs(float64(got)-float64(v)) > 4 {
						t.Errorf("%s %v: value %d is %v, want %d", name, size, i+c, got, v)
					}
				}
			}
		}
	}
}

func TestReadRefuses(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text.jpg")
	cut := filepath.Join(dir, "cut.png")
	whole, err := os.ReadFile(save(t, "a.png", 40, 40, color.RGBA{}, color.RGBA{255, 255, 255, 255}))
	if err != nil {
		t.Fatal(err)
	}
	huge := bytes.Clone(whole) // width and height of a PNG stand at bytes 16 and 20, a checksum follows at 29
	copy(huge[16:], []byte{0, 0, 0x9c, 0x40, 0, 0, 0x9c, 0x40})
	copy(huge[29:], pngSum(huge[12:29]))
	for path, data := range map[string][]byte{
		text: []byte("not a picture"), cut: whole[:20], filepath.Join(dir, "half.png"): whole[:len(whole)/2],
		filepath.Join(dir, "huge.png"): huge, filepath.Join(dir, "huge.bmp"): hugeBMP(),
		filepath.Join(dir, "huge.pgm"): []byte("P5 40000 40000 255\n"),
	} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cases := []struct{ path, want string }{
		{filepath.Join(dir, "absent.png"), "no such file"},
		{dir, "it is a folder"},
		{text, "known format"},
		{cut, "damaged picture"},
		{filepath.Join(dir, "half.png"), "damaged picture"},
		{filepath.Join(dir, "huge.png"), "40000 by 40000 pixels"},
		{filepath.Join(dir, "huge.bmp"), "40000 by 40000 pixels"},
		{filepath.Join(dir, "huge.pgm"), "known format"},
	}
	for _, c := range cases {
		p, err := Read(c.path)
		if err == nil {
			p.Close()
			t.Errorf("%s was read", c.path)
			continue
		}
		if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.path) {
			t.Errorf("error %q, want %q and the path", err, c.want)
		}
	}
}

func TestDrawAndWrite(t *testing.T) {
	p, err := Read(save(t, "a.png", 320, 240, color.RGBA{A: 255}, color.RGBA{A: 255}))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	p.Draw([]pipeline.Label{{Box: [4]float32{0.25, 0.5, 0.25, 0.25}, Label: "happy", Confidence: 0.9}})
	out := filepath.Join(t.TempDir(), "out.png")
	if err := p.Write(out); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	img, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	green := color.RGBA{0, 158, 115, 255}
	for _, at := range []image.Point{{80, 150}, {160, 150}, {120, 180}} { // left, right and lower edge
		if got := color.RGBAModel.Convert(img.At(at.X, at.Y)); got != green {
			t.Errorf("pixel %v is %v, want %v", at, got, green)
		}
	}
	if got := color.RGBAModel.Convert(img.At(120, 150)); got != (color.RGBA{A: 255}) {
		t.Errorf("the middle of the box was painted: %v", got)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(out), ".part-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
	if err := p.Write(filepath.Join(t.TempDir(), "out.xyz")); err == nil || !strings.Contains(err.Error(), "out.xyz") {
		t.Errorf("an unknown extension gave %v", err)
	}
	if err := p.Write(filepath.Join(t.TempDir(), "absent", "out.png")); err == nil {
		t.Error("writing into a folder that is not there succeeded")
	}
}
