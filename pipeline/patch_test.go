package pipeline

import (
	"math"
	"testing"
)

// blobs is a smooth picture by a formula, moved by (dx, dy) and grown about its centre.
func blobs(w, h int, dx, dy, grown, brighter float64) *Frame {
	f := grey(w, h, 0)
	cx, cy := float64(w)/2, float64(h)/2
	for j := range h {
		for i := range w {
			x, y := (float64(i)-cx-dx)/grown, (float64(j)-cy-dy)/grown
			v := 110 + 40*math.Sin(x/9+1) + 30*math.Cos(y/11) + 20*math.Sin((x+y)/17) + brighter
			f.Y[j*f.YStride+i] = byte(math.Round(v))
		}
	}
	return f
}

func TestRegisterFindsMovesAndGrowth(t *testing.T) {
	box := Box{X: 0.35, Y: 0.3, W: 0.3, H: 0.4} // 96 by 96 of 320 by 240
	still := blobs(320, 240, 0, 0, 1, 0)
	region := patchRegion(box, still)
	var ref reference
	var p patch
	var by resampler
	p.sample(&by, still, region)
	ref.set(&p)
	for _, c := range []struct{ dx, dy, grown, brighter float64 }{
		{0, 0, 1, 0}, {5, -3, 1, 0}, {-8, 6, 1, 0}, {0, 0, 1.06, 0}, {3, 2, 0.95, 20},
	} {
		moved := blobs(320, 240, c.dx, c.dy, c.grown, c.brighter)
		p.sample(&by, moved, region)
		s, residual, ok := ref.register(&p)
		if !ok {
			t.Errorf("%+v: not found", c)
			continue
		}
		got := box.shifted(s, region, moved).Center()
		want := Point{0.5 + float32(c.dx)/320, 0.5 + float32(c.dy)/240}
		if abs(got.X-want.X)*320 > 0.5 || abs(got.Y-want.Y)*240 > 0.5 {
			t.Errorf("%+v: the face is at %v, want %v", c, got, want)
		}
		if w := box.shifted(s, region, moved).W / box.W; math.Abs(float64(w)-c.grown) > 0.015 {
			t.Errorf("%+v: it has grown by %v", c, w)
		}
		if residual > 1 {
			t.Errorf("%+v: a residual of %v grey levels", c, residual)
		}
	}
}

func TestRegisterMeasuresChange(t *testing.T) {
	box := Box{X: 0.35, Y: 0.3, W: 0.3, H: 0.4}
	still := blobs(320, 240, 0, 0, 1, 0)
	region := patchRegion(box, still)
	var ref reference
	var p patch
	var by resampler
	p.sample(&by, still, region)
	ref.set(&p)
	opened := blobs(320, 240, 2, 0, 1, 0)
	for j := 140; j < 160; j++ { // a mouth
		for i := 140; i < 180; i++ {
			opened.Y[j*opened.YStride+i] = 40
		}
	}
	p.sample(&by, opened, region)
	if _, residual, ok := ref.register(&p); ok && residual < 3 {
		t.Errorf("a residual of %v grey levels where a part has changed", residual)
	}
}

func TestRegisterRejectsFlatAndOtherPictures(t *testing.T) {
	var ref reference
	var p patch
	ref.set(&p)
	if _, _, ok := ref.register(&p); ok {
		t.Error("a patch of one grey was found")
	}
	var by resampler
	box := Box{X: 0.35, Y: 0.3, W: 0.3, H: 0.4}
	still := blobs(320, 240, 0, 0, 1, 0)
	p.sample(&by, still, patchRegion(box, still))
	ref.set(&p)
	for i := range p {
		p[i] = float32(i % 7 * 30)
	}
	if _, residual, ok := ref.register(&p); ok && residual < 10 {
		t.Errorf("noise was taken for the face, with a residual of %v grey levels", residual)
	}
}

func BenchmarkRegister(b *testing.B) {
	box := Box{X: 0.35, Y: 0.3, W: 0.3, H: 0.4}
	still, moved := blobs(640, 480, 0, 0, 1, 0), blobs(640, 480, 6, -4, 1.02, 0)
	region := patchRegion(box, still)
	var ref reference
	var p patch
	var by resampler
	p.sample(&by, still, region)
	ref.set(&p)
	for b.Loop() {
		p.sample(&by, moved, region)
		ref.register(&p)
	}
}
