package vision

import (
	"context"
	"errors"
	"image"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"

	"gocv.io/x/gocv"

	"mindflow/pipeline"
	"mindflow/pipeline/schedule"
)

var haar = pipeline.Model{Name: "haar", Decoder: "haar",
	Cascade: &pipeline.CascadeRule{Scale: 1.1, Neighbours: 5, MinPx: 30}}

// cascadeFile is what Debian's opencv-data installs.
func cascadeFile(t *testing.T) string {
	t.Helper()
	const file = "/usr/share/opencv4/haarcascades/haarcascade_frontalface_default.xml"
	if _, err := os.Stat(file); err != nil {
		t.Skip("install opencv-data:", err)
	}
	return file
}

func openHaar(t *testing.T) pipeline.DetectorCloser {
	t.Helper()
	c, err := OpenCascade(cascadeFile(t), haar)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// photo is a photograph of four faces, from a package that the browser tests install, and where an eye
// sees the noses.
func photo(t *testing.T) (*pipeline.Frame, []pipeline.Point) {
	t.Helper()
	file := filepath.Join("..", "..", "node_modules", "@vladmandic", "face-api", "demo", "sample6.jpg")
	if _, err := os.Stat(file); err != nil {
		t.Skip("run make test, which installs it:", err)
	}
	p, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	gocv.Resize(p.mat, &p.mat, image.Pt(640, 640*p.mat.Rows()/p.mat.Cols()), 0, 0, gocv.InterpolationArea)
	f, err := p.Frame()
	if err := errors.Join(err, p.Close()); err != nil {
		t.Fatal(err)
	}
	return f, []pipeline.Point{{X: 0.195, Y: 0.42}, {X: 0.40, Y: 0.33}, {X: 0.67, Y: 0.30}, {X: 0.83, Y: 0.28}}
}

// As many callers at once as may be, and more, find the same faces, in full and in limited range.
func TestCascadeFindsFaces(t *testing.T) {
	c := openHaar(t)
	frame, noses := photo(t)
	want, err := c.Detect(t.Context(), nil, frame)
	if err != nil {
		t.Fatal(err)
	}
	held := 0
	for _, n := range noses {
		for _, face := range want {
			if b := face.Box; n.X > b.X && n.X < b.X+b.W && n.Y > b.Y && n.Y < b.Y+b.H {
				held++
				break
			}
		}
	}
	if held != len(noses) {
		t.Errorf("%d of %d noses lie in %v", held, len(noses), want)
	}
	var limited pipeline.Frame
	limited.CopyFrom(frame)
	limited.FullRange = false
	for i, v := range limited.Y {
		limited.Y[i] = byte((int(v)*219+127)/255 + 16)
	}
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) + 1 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if got, err := c.Detect(t.Context(), nil, frame); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("got %v, want %v (%v)", got, want, err)
			}
		}()
	}
	wg.Wait()
	if got, err := c.Detect(t.Context(), nil, &limited); err != nil || len(got) < len(noses) {
		t.Errorf("in limited range %v (%v)", got, err)
	}
}

func TestCascadeEnds(t *testing.T) {
	c := openHaar(t)
	frame := &pipeline.Frame{Width: 40, Height: 40, YStride: 40, Y: make([]byte, 1600)}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Detect(ctx, nil, frame); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v", err)
	}
	if found, err := c.Detect(t.Context(), nil, frame); err != nil || len(found) != 0 {
		t.Errorf("%v in black (%v)", found, err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Detect(t.Context(), nil, frame); !errors.Is(err, schedule.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestOpenCascadeRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct{ text, want string }{
		"empty.xml": {"", "not a cascade"},
		"cut.xml":   {"<opencv_storage><cascade>", "not a cascade"},
		"page.xml":  {"<html></html>", "not a cascade"},
		"other.xml": {"<?xml version=\"1.0\"?>\n<opencv_storage>\n<size>3</size>\n</opencv_storage>\n",
			"not a cascade"},
		"bare.xml": {"<?xml version=\"1.0\"?>\n<opencv_storage>\n<cascade " +
			"type_id=\"opencv-cascade-classifier\"><stageType>BOOST</stageType></cascade>\n</opencv_storage>\n",
			"cannot read the cascade"},
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenCascade(file, haar); err == nil || !strings.Contains(err.Error(), c.want) ||
			!strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
	if _, err := OpenCascade(filepath.Join(dir, "absent.xml"), haar); err == nil ||
		!strings.Contains(err.Error(), "no such file") {
		t.Errorf("absent: %v", err)
	}
	if _, err := OpenCascade(cascadeFile(t), pipeline.Model{Name: "x", Decoder: "yunet"}); err == nil ||
		!strings.Contains(err.Error(), `"yunet"`) {
		t.Errorf("another decoder: %v", err)
	}
}
