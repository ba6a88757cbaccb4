package pipeline

import (
	"math"
	"math/rand/v2"
	"testing"
)

var rgb256 = Input{
	Size: 256, Layout: NHWC, Colour: RGB, Channels: 3, Scale: 1 / 127.5,
	Mean: [3]float32{1, 1, 1}, Std: [3]float32{1, 1, 1},
}
var grey96 = Input{Size: 96, Layout: NCHW, Colour: Grey, Channels: 3, Scale: 1.0 / 255,
	Mean: [3]float32{0.485, 0.456, 0.406}, Std: [3]float32{0.229, 0.224, 0.225}}

// slowly resamples one value by direct integration of the picture over the output's window. Each sample is a constant
// when shrinking and a line to its neighbour when enlarging.
func slowly(src []byte, size int, from, length float64, n, i int) float64 {
	step := length / float64(n)
	support := math.Max(1, step)
	lo := from + float64(i)*step
	if step < 1 {
		lo = from + (float64(i)+0.5)*step - 0.5
	}
	const parts = 4096
	sum := 0.0
	for p := range parts {
		k := int(math.Floor(lo + (float64(p)+0.5)/parts*support))
		sum += float64(src[clampInt(k, 0, size-1)])
	}
	return sum / parts
}

func TestAxisAgainstDirectIntegration(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	cases := []struct {
		name         string
		size, n      int
		from, length float32
	}{
		{"shrink whole", 640, 256, 0, 640},
		{"shrink region between samples", 640, 96, 101.3, 233.7},
		{"same size", 96, 96, 0, 96},
		{"same size, shifted", 96, 64, 3.25, 64},
		{"enlarge", 48, 96, 0, 48},
		{"enlarge region between samples", 100, 96, 20.5, 31.25},
		{"over both edges", 60, 96, -30, 140},
		{"wholly outside", 60, 16, 80, 40},
		{"one sample wide", 1, 8, 0, 1},
		{"smaller than the window", 3, 2, -10, 40},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			src := make([]byte, c.size)
			for i := range src {
				src[i] = byte(r.UintN(256))
			}
			var a axis
			a.set(c.n, c.from, c.length, c.size, Area)
			got := make([]float32, c.n)
			a.row(got, src)
			for i := range got {
				want := slowly(src, c.size, float64(c.from), float64(c.length), c.n, i)
				if math.Abs(float64(got[i])-want) > 0.3 {
					t.Fatalf("output %d is %v, want %v", i, got[i], want)
				}
			}
		})
	}
}

// Known colours through the two matrices and ranges (ITU-R BT.601 and BT.709).
func TestSampleColours(t *testing.T) {
	cases := []struct {
		name     string
		y, u, v  byte
		full, hd bool
		rgb      [3]float32
	}{
		{"black", 16, 128, 128, false, false, [3]float32{0, 0, 0}},
		{"white", 235, 128, 128, false, false, [3]float32{255, 255, 255}},
		{"below black", 2, 128, 128, false, false, [3]float32{0, 0, 0}},
		{"full range grey", 100, 128, 128, true, false, [3]float32{100, 100, 100}},
		{"601 red", 81, 90, 240, false, false, [3]float32{254, 0, 0}},
		{"601 green", 145, 54, 34, false, false, [3]float32{0, 255, 1}},
		{"601 blue", 41, 240, 110, false, false, [3]float32{0, 0, 255}},
		{"709 red", 63, 102, 240, false, true, [3]float32{255, 1, 0}},
		{"709 blue", 32, 240, 118, false, true, [3]float32{1, 0, 255}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := &Frame{Width: 2, Height: 2, YStride: 2, CStride: 1, FullRange: c.full, BT709: c.hd,
				Y: fill(4, c.y), U: fill(1, c.u), V: fill(1, c.v)}
			for _, order := range []string{RGB, BGR} {
				in := Input{Size: 3, Layout: NCHW, Colour: order, Channels: 3, Scale: 1, Std: [3]float32{1, 1, 1}}
				dst := make([]float32, in.Len())
				NewSampler(in).Letterbox(Crop{Values: dst}, f)
				for i := range 3 {
					want := c.rgb[i]
					if order == BGR {
						want = c.rgb[2-i]
					}
					if got := dst[i*9+4]; math.Abs(float64(got-want)) > 2.5 {
						t.Errorf("%s channel %d is %v, want %v", order, i, got, want)
					}
				}
			}
		})
	}
}

func TestSampleGreyIsNormalisedPerChannel(t *testing.T) {
	dst := make([]float32, grey96.Len())
	NewSampler(grey96).Crop(Crop{Values: dst}, grey(64, 48, 200), Region{-5, -5, 80, 80})
	for c := range 3 {
		want := (200.0/255 - grey96.Mean[c]) / grey96.Std[c]
		for i, v := range dst[c*96*96 : (c+1)*96*96] {
			if math.Abs(float64(v-want)) > 1e-4 {
				t.Fatalf("channel %d, pixel %d is %v, want %v", c, i, v, want)
			}
		}
	}
}

func TestLetterboxFit(t *testing.T) {
	cases := []struct {
		w, h int
		want Fit
	}{
		{640, 480, Fit{0, 32, 256, 192}},
		{360, 640, Fit{56, 0, 144, 256}},
		{100, 100, Fit{0, 0, 256, 256}},
		{1, 900, Fit{127, 0, 1, 256}},
	}
	for _, c := range cases {
		dst := make([]float32, rgb256.Len())
		s := NewSampler(rgb256)
		s.Letterbox(Crop{Values: dst}, grey(31, 77, 255)) // leaves white behind in the tensor
		fit := s.Letterbox(Crop{Values: dst}, grey(c.w, c.h, 255))
		if fit != c.want {
			t.Errorf("%dx%d lies at %v, want %v", c.w, c.h, fit, c.want)
		}
		white := 0
		for i := 0; i < len(dst); i += 3 {
			switch v := dst[i]; {
			case v > 0.99:
				white++
			case v != -1:
				t.Fatalf("%dx%d: a sample is %v, neither white nor black", c.w, c.h, v)
			}
		}
		if want := int(fit.W * fit.H); white != want {
			t.Errorf("%dx%d covers %d pixels, want %d", c.w, c.h, white, want)
		}
	}
}

func BenchmarkLetterbox(b *testing.B) {
	s, f, dst := NewSampler(rgb256), grey(640, 480, 90), make([]float32, rgb256.Len())
	b.ReportAllocs()
	for b.Loop() {
		s.Letterbox(Crop{Values: dst}, f)
	}
}

func BenchmarkCrop(b *testing.B) {
	s, f, dst := NewSampler(grey96), grey(640, 480, 90), make([]float32, grey96.Len())
	b.ReportAllocs()
	for b.Loop() {
		s.Crop(Crop{Values: dst}, f, Region{200, 120, 180, 180})
	}
}

// The triangle filter is PIL's: Image.crop, then resize with BILINEAR, of one row in mode F (PIL 9.4).
func TestTriangleAgainstPIL(t *testing.T) {
	row := []byte{3, 200, 17, 99, 250, 31, 140, 77, 5, 222, 180}
	cases := []struct {
		from, length float32
		want         []float32
	}{
		{2, 8, []float32{105.65790, 109.90480, 95.52630}},
		{2, 8, []float32{50.54550, 170.29630, 92, 70, 133.22729}},
		{2, 8, []float32{17, 58, 124.16670, 224.83330, 140.5, 49.16670, 121.83330, 108.5, 65, 17, 113.5, 222}},
	}
	for _, c := range cases {
		var a axis
		a.set(len(c.want), c.from, c.length, len(row), Triangle)
		got := make([]float32, len(c.want))
		a.row(got, row)
		for i, want := range c.want {
			if math.Abs(float64(got[i]-want)) > 0.002 {
				t.Errorf("%d from [%v,%v): output %d is %v, want %v", len(c.want), c.from, c.from+c.length, i, got[i],
					want)
			}
		}
	}
}

// A margin is clipped to the frame like a slice of an array: frame[max(0, y-60):y+h+60, max(0, x-60):x+w+60].
func TestMarginIsClippedToTheFrame(t *testing.T) {
	f := &Frame{Width: 640, Height: 360}
	rule := CropRule{MarginPx: 60}
	cases := []struct {
		x, y, w, h float32
		want       Region
	}{
		{200, 100, 90, 90, Region{140, 40, 210, 210}},
		{30, 10, 90, 90, Region{0, 0, 180, 160}},
		{500, 250, 100, 100, Region{440, 190, 200, 170}},
		{-70, 100, 5, 90, Region{0, 40, 1, 210}}, // never empty
	}
	for _, c := range cases {
		got := rule.Region(Box{c.x / 640, c.y / 360, c.w / 640, c.h / 360}, f)
		for i, pair := range [][2]float32{{got.X, c.want.X}, {got.Y, c.want.Y}, {got.W, c.want.W}, {got.H, c.want.H}} {
			if math.Abs(float64(pair[0]-pair[1])) > 1e-3 {
				t.Errorf("box %v: %v, want %v (value %d)", c, got, c.want, i)
			}
		}
	}
}

// Bytes are the floats before normalisation, rounded: row by row, grey once for each pixel, colours in the network's
// order.
func TestSampleBytes(t *testing.T) {
	f := &Frame{Width: 64, Height: 48, YStride: 64, CStride: 32,
		Y: make([]byte, 64*48), U: make([]byte, 32*24), V: make([]byte, 32*24)}
	for i := range f.Y {
		f.Y[i] = byte(i * 7)
	}
	for i := range f.U {
		f.U[i], f.V[i] = byte(i*5), byte(255-i*3)
	}
	for _, colour := range []string{Grey, RGB, BGR} {
		in := Input{Size: 40, Layout: NHWC, Colour: colour, Channels: 3, Scale: 1, Std: [3]float32{1, 1, 1}}
		plain := in.NewCrop()
		in.Bytes = true
		packed := in.NewCrop()
		if len(packed.Bytes) != 40*40*in.CropChannels() {
			t.Fatalf("%s: %d bytes", colour, len(packed.Bytes))
		}
		for name, fill := range map[string]func(*Sampler, Crop){
			"crop":      func(s *Sampler, c Crop) { s.Crop(c, f, Region{-3, 5, 50, 41}) },
			"letterbox": func(s *Sampler, c Crop) { s.Letterbox(c, f) },
		} {
			for i := range packed.Bytes {
				packed.Bytes[i] = 77 // of the frame before
			}
			floats := in
			floats.Bytes = false
			fill(NewSampler(floats), plain)
			fill(NewSampler(in), packed)
			for i, v := range packed.Bytes {
				at := i * 3 / in.CropChannels()
				if d := math.Abs(float64(v) - float64(plain.Values[at])); d > 0.501 {
					t.Fatalf("%s, %s: byte %d is %d, the float is %g", colour, name, i, v, plain.Values[at])
				}
			}
		}
	}
}

func BenchmarkCropBytes(b *testing.B) {
	in := grey96
	in.Bytes = true
	s, f, dst := NewSampler(in), grey(640, 480, 90), in.NewCrop()
	b.ReportAllocs()
	for b.Loop() {
		s.Crop(dst, f, Region{200, 120, 180, 180})
	}
}
