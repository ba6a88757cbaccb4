package media

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"image"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mindflow/cmd/mindflow/internal/clitest"
	"mindflow/pipeline"
	"mindflow/pipeline/vision"
)

// read runs `mindflow image --json` and returns its lines and error.
func read(t *testing.T, args ...string) (map[string]picture, error) {
	t.Helper()
	var out bytes.Buffer
	err := Image().Execute(t.Context(), slices.Concat(args, clitest.EngineArgs(t), []string{"--json"}), nil, &out)
	got := map[string]picture{}
	for decoder := json.NewDecoder(&out); decoder.More(); {
		var p picture
		if err := decoder.Decode(&p); err != nil {
			t.Fatal(err)
		}
		got[p.File] = p
	}
	return got, err
}

func TestImageCountsFaces(t *testing.T) {
	want := map[string]int{
		clitest.MediaFile(t, "astronaut.png"):  1,
		clitest.MediaFile(t, "obama.jpg"):      1,
		clitest.MediaFile(t, "five-faces.jpg"): 5,
		still(t, "no-face.mp4"):                0,
	}
	var files []string
	for name := range want {
		files = append(files, name)
	}
	got, err := read(t, files...)
	if err != nil {
		t.Fatal(err)
	}
	for name, n := range want {
		p, ok := got[name]
		if !ok || len(p.Faces) != n || p.Width == 0 || p.Height == 0 {
			t.Errorf("%s: %d faces (%dx%d), want %d", name, len(p.Faces), p.Width, p.Height, n)
		}
		for _, face := range p.Faces {
			checkLabel(t, name, face)
		}
	}
}

// checkLabel checks a face of one picture against what the protocol promises.
func checkLabel(t *testing.T, name string, face pipeline.Label) {
	t.Helper()
	sum, best := float32(0), 0
	for i, p := range face.Scores {
		sum += p
		if p > face.Scores[best] {
			best = i
		}
	}
	if len(face.Scores) != 8 || sum < 0.999 || sum > 1.001 || face.Confidence != face.Scores[best] ||
		face.Label == "" || face.ID == 0 {
		t.Errorf("%s: %+v", name, face)
	}
}

// still returns a picture out of a clip.
func still(t *testing.T, clip string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "still.png")
	if text, err := exec.Command("ffmpeg", "-loglevel", "error", "-ss", "1", "-i", clitest.MediaFile(t, clip),
		"-frames:v", "1", out).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, text)
	}
	return out
}

// annotations is the format of dlib's examples.
type annotations struct {
	Images []struct {
		File   string `xml:"file,attr"`
		Width  int    `xml:"width,attr"`
		Height int    `xml:"height,attr"`
		Boxes  []struct {
			Top    int `xml:"top,attr"`
			Left   int `xml:"left,attr"`
			Width  int `xml:"width,attr"`
			Height int `xml:"height,attr"`
		} `xml:"box"`
	} `xml:"images>image"`
}

// latin1 decodes the annotations' charset. They hold ASCII only.
func latin1(_ string, in io.Reader) (io.Reader, error) { return in, nil }

func TestImageFindsAnnotatedFaces(t *testing.T) {
	dir := clitest.MediaFile(t, "dlib-faces")
	all, found, extra := 0, 0, 0
	for _, list := range []string{"training.xml", "testing.xml"} {
		text, err := os.ReadFile(filepath.Join(dir, list))
		if err != nil {
			t.Fatal(err)
		}
		var a annotations
		decoder := xml.NewDecoder(bytes.NewReader(text))
		decoder.CharsetReader = latin1
		if err := decoder.Decode(&a); err != nil {
			t.Fatal(err)
		}
		for _, img := range a.Images {
			file := filepath.Join(dir, img.File)
			got, err := read(t, file)
			if err != nil {
				t.Fatal(err)
			}
			hits := 0
			for _, b := range img.Boxes {
				w, h := float32(img.Width), float32(img.Height)
				box := pipeline.Box{X: float32(b.Left) / w, Y: float32(b.Top) / h, W: float32(b.Width) / w,
					H: float32(b.Height) / h}
				for _, face := range got[file].Faces {
					if box.IoU(pipeline.Box{X: face.Box[0], Y: face.Box[1], W: face.Box[2], H: face.Box[3]}) >= 0.35 {
						hits++
						break
					}
				}
			}
			all += len(img.Boxes)
			found += hits
			extra += len(got[file].Faces) - hits
		}
	}
	t.Logf("found %d of %d, %d extra", found, all, extra)
	if all != 43 || found < 41 || extra > 1 {
		t.Errorf("found %d of %d annotated faces, want at least 41 of 43; %d extra", found, all, extra)
	}
}

// TestImageGoesOnAfterABadOne: an error names a bad picture, and the others are still labelled.
func TestImageGoesOnAfterABadOne(t *testing.T) {
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.png"), filepath.Join(dir, "bad.png")
	file, err := os.Create(good)
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(file, &image.RGBA{Pix: bytes.Repeat([]byte{90, 90, 90, 255}, 64*64), Stride: 256,
		Rect: image.Rect(0, 0, 64, 64)}); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(bad, []byte("\x89PNG\r\n\x1a\nbroken"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := read(t, bad, good, filepath.Join(dir, "absent.jpg"))
	if p, ok := got[good]; !ok || p.Width != 64 || p.Faces == nil || len(p.Faces) != 0 {
		t.Errorf("the good picture gave %+v", p)
	}
	if err == nil || !strings.Contains(err.Error(), bad) || !strings.Contains(err.Error(), "absent.jpg") {
		t.Errorf("error %q, want both bad files named", err)
	}
}

func TestImageAnnotate(t *testing.T) {
	in := clitest.MediaFile(t, "astronaut.png")
	out := filepath.Join(t.TempDir(), "out.png")
	if _, err := read(t, in, "--annotate", out); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if config, err := png.DecodeConfig(file); err != nil || config.Width != 512 {
		t.Errorf("%+v, %v", config, err)
	}
}

func TestAnnotateTargets(t *testing.T) {
	dir := t.TempDir()
	own := filepath.Join(dir, "own.png")
	if err := os.WriteFile(own, []byte("a picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	cases := []struct {
		name  string
		out   string
		files []string
		want  []string // targets, or
		fails string   // what the error says
	}{
		{"none asked for", "", []string{"a.png", "b.jpg"}, []string{"", ""}, ""},
		{"one file", "x.png", []string{"a.jpg"}, []string{"x.png"}, ""},
		{"into a folder that is there", dir, []string{"a.jpg"}, []string{filepath.Join(dir, "a.jpg")}, ""},
		{"several, into a folder that is made", out, []string{"a.jpg", "x/b.png"},
			[]string{filepath.Join(out, "a.jpg"), filepath.Join(out, "b.png")}, ""},
		{"over the picture itself", own, []string{own}, nil, "would be overwritten"},
		{"over the picture itself, in its folder", dir, []string{own}, nil, "would be overwritten"},
		{"two of one name", out, []string{"x/a.png", "y/a.png"}, nil, "would both become"},
		{"format not known", "x.gif", []string{"a.jpg"}, nil, "extension"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := annotationTargets(c.out, c.files, "", vision.CheckWritable)
			if c.fails == "" && (err != nil || !slices.Equal(got, c.want)) {
				t.Errorf("targets %q, %v; want %q", got, err, c.want)
			}
			if c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails)) {
				t.Errorf("error %v, want %q", err, c.fails)
			}
		})
	}
}

// TestImageOddShapes: pictures of odd shapes are read like others.
func TestImageOddShapes(t *testing.T) {
	for _, size := range [][2]int{{40_000, 1}, {1, 40_000}, {1, 1}, {3, 2}, {20_000, 17}} {
		file := filepath.Join(t.TempDir(), "flat.png")
		var data bytes.Buffer
		if err := png.Encode(&data, image.NewGray(image.Rect(0, 0, size[0], size[1]))); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, data.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := read(t, file)
		if p := got[file]; err != nil || p.Width != size[0] || p.Height != size[1] || len(p.Faces) != 0 {
			t.Errorf("%v: %+v, %v", size, p, err)
		}
	}
}
