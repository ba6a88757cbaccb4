package ort

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"testing"

	"mindflow/pipeline"
	"mindflow/pipeline/schedule"
	"mindflow/pipeline/testkit"
)

func detector(t testing.TB) *Detector {
	t.Helper()
	return load(t, blazeFaceFile(t), "blazeface-back")
}

func load(t testing.TB, file, name string) *Detector {
	t.Helper()
	d, err := open(t).NewDetector(file, entry(t, name).Model, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func TestDetect(t *testing.T) {
	for name, folder := range map[string]string{"blazeface-back": "", "yunet": "models"} {
		t.Run(name, func(t *testing.T) {
			if folder == "" {
				findFour(t, detector(t), 6)
				return
			}
			dir := filepath.Dir(testkit.SharedFile(t, folder, entry(t, name).File))
			findFour(t, load(t, verified(t, dir, entry(t, name)),
				name), 5)
		})
	}
}

// findFour checks what d, which gives so many key points, finds in a photograph of four faces.
func findFour(t *testing.T, d *Detector, points int) {
	frame, noses := four(t)
	faces, err := d.Detect(t.Context(), nil, frame)
	if err != nil {
		t.Fatal(err)
	}
	if len(faces) != len(noses) {
		t.Fatalf("%d faces, want %d", len(faces), len(noses))
	}
	if !slices.IsSortedFunc(faces, func(a, b pipeline.Face) int { return cmp.Compare(b.Score, a.Score) }) {
		t.Error("the best face does not come first")
	}
	slices.SortFunc(faces, func(a, b pipeline.Face) int { return cmp.Compare(a.Box.X, b.Box.X) })
	for i, nose := range noses {
		b := faces[i].Box
		if nose.X < b.X || nose.X > b.X+b.W || nose.Y < b.Y || nose.Y > b.Y+b.H {
			t.Errorf("box %v does not hold the nose at %v", b, nose)
		}
		if b.W < 0.09 || b.W > 0.17 {
			t.Errorf("box %v is not as wide as a face", b)
		}
		if eyes := faces[i].Points; len(eyes) != points || eyes[0].X >= eyes[1].X || eyes[0].Y >= b.Y+b.H/2 {
			t.Errorf("key points %v are not those of an upright face in %v", faces[i].Points, b)
		}
	}
}

func TestDetectNothing(t *testing.T) {
	d := detector(t)
	frame := &pipeline.Frame{Width: 64, Height: 48, YStride: 64, CStride: 32, Y: make([]byte, 64*48),
		U: make([]byte, 32*24), V: make([]byte, 32*24)}
	faces, err := d.Detect(t.Context(), nil, frame)
	if err != nil || len(faces) != 0 {
		t.Fatalf("a black frame has %d faces, error %v", len(faces), err)
	}
}

// Many more callers than may run at once get what one caller gets.
func TestDetectFromManyGoroutines(t *testing.T) {
	d := detector(t)
	frame, _ := four(t)
	want, err := d.Detect(t.Context(), nil, frame)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 * runtime.GOMAXPROCS(0) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			got, err := d.Detect(t.Context(), nil, frame)
			if err != nil {
				t.Error(err)
			} else if !reflect.DeepEqual(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		}()
	}
	wg.Wait()
}

func TestDetectEnds(t *testing.T) {
	d := detector(t)
	frame, _ := four(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Detect(ctx, nil, frame); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v", err)
	}
	for range 2 { // closing again does nothing
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.Detect(t.Context(), nil, frame); !errors.Is(err, schedule.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func BenchmarkDetect(b *testing.B) {
	d := detector(b)
	large, _ := four(b)
	frame := shrink(large, 640, 480)
	faces, err := d.Detect(b.Context(), nil, frame) // makes what later calls reuse
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if faces, err = d.Detect(b.Context(), faces[:0], frame); err != nil {
			b.Fatal(err)
		}
	}
	if len(faces) == 0 {
		b.Fatal("no face was found")
	}
}

// shrink takes the nearest pixels: enough for a benchmark, whose work does not depend on them.
func shrink(f *pipeline.Frame, w, h int) *pipeline.Frame {
	s := &pipeline.Frame{Width: w, Height: h, YStride: w, CStride: w / 2, FullRange: f.FullRange}
	nearest := func(src []byte, stride, sw, sh, w, h int) []byte {
		dst := make([]byte, 0, w*h)
		for y := range h {
			for x := range w {
				dst = append(dst, src[y*sh/h*stride+x*sw/w])
			}
		}
		return dst
	}
	s.Y = nearest(f.Y, f.YStride, f.Width, f.Height, w, h)
	s.U = nearest(f.U, f.CStride, f.Width/2, f.Height/2, w/2, h/2)
	s.V = nearest(f.V, f.CStride, f.Width/2, f.Height/2, w/2, h/2)
	return s
}

// A network that takes any size is given streams of several sizes in turn, and its memory follows.
func TestDetectAnySize(t *testing.T) {
	file := verified(t, filepath.Dir(testkit.SharedFile(t, "models", "yunet_s_dynamic.onnx")), entry(t, "yunet"))
	d := load(t, file, "yunet")
	large, noses := four(t)
	for _, size := range [][2]int{{640, 480}, {320, 240}, {500, 334}, {642, 482}, {1280, 720}, {640, 480}} {
		faces, err := d.Detect(t.Context(), nil, shrink(large, size[0], size[1]))
		if err != nil || len(faces) != len(noses) {
			t.Fatalf("%v: %d faces, want %d (%v)", size, len(faces), len(noses), err)
		}
		slices.SortFunc(faces, func(a, b pipeline.Face) int { return cmp.Compare(a.Box.X, b.Box.X) })
		for i, nose := range noses {
			if b := faces[i].Box; nose.X < b.X || nose.X > b.X+b.W || nose.Y < b.Y || nose.Y > b.Y+b.H {
				t.Errorf("%v: box %v does not hold the nose at %v", size, b, nose)
			}
		}
	}
	for _, size := range [][2]int{{1, 1}, {31, 2}, {7, 2000}} {
		f := &pipeline.Frame{Width: size[0], Height: size[1], YStride: size[0], CStride: size[0],
			Y: make([]byte, size[0]*size[1]), U: make([]byte, size[0]*size[1]), V: make([]byte, size[0]*size[1])}
		if faces, err := d.Detect(t.Context(), nil, f); err != nil || len(faces) != 0 {
			t.Errorf("%v: %d faces in green, error %v", size, len(faces), err)
		}
	}
}
