package pipeline

import (
	"math"
	"testing"
)

// yuNetOutput is the network's output for a tensor of 64 by 32 pixels without a face.
func yuNetOutput() (levels [3]YuNetLevel) {
	for i, stride := range YuNetStrides {
		n := 64 / stride * (32 / stride)
		levels[i] = YuNetLevel{make([]float32, n), make([]float32, n), make([]float32, n*4), make([]float32, n*10)}
	}
	return levels
}

func TestDecodeYuNet(t *testing.T) {
	levels := yuNetOutput()
	set := func(level, cell int, class, object float32, box ...float32) {
		levels[level].Class[cell], levels[level].Object[cell] = class, object
		copy(levels[level].Boxes[cell*4:], box)
		copy(levels[level].Points[cell*10:], []float32{0.25, 0.5})
	}
	// Cell (3, 2) of stride 8 has its corner at (24, 16): centre (28, 20), 16 by 8 pixels.
	set(0, 2*8+3, 0.81, 0.64, 0.5, 0.5, float32(math.Log(2)), 0)
	// Its neighbour sees the same face less surely, one pixel off.
	set(0, 2*8+4, 0.7, 0.6, -0.375, 0.5, float32(math.Log(2)), 0)
	// Cell (1, 0) of stride 32, with a probability that rounding put over one.
	set(2, 1, 1.001, 1, 0.5, 0.5, 0, 0)
	// √(0.9·0.3) is under the threshold of 0.6, and what is not a number is no face.
	set(1, 0, 0.9, 0.3, 0, 0, 0, 0)
	set(1, 1, float32(math.NaN()), 1, 0, 0, 0, 0)

	m := Model{Threshold: 0.6, NMS: 0.3}
	var faces []Face
	for range 2 { // the second time in the memory of the first
		faces = DecodeYuNet(faces[:0], levels, 64, Fit{0, 0, 60, 30}, m)
		if len(faces) != 2 {
			t.Fatalf("found %d faces: %+v", len(faces), faces)
		}
		want := []Face{
			{Box{32.0 / 60, 0, 32.0 / 60, 32.0 / 30}, 1, []Point{{40.0 / 60, 16.0 / 30}}},
			{Box{20.0 / 60, 16.0 / 30, 16.0 / 60, 8.0 / 30}, 0.72, []Point{{26.0 / 60, 20.0 / 30}}},
		}
		for i, w := range want {
			got := faces[i]
			if !closeBox(got.Box, w.Box) || !near(got.Score, w.Score) {
				t.Errorf("face %d is at %v with score %v, want %v with %v", i, got.Box, got.Score, w.Box, w.Score)
			}
			if len(got.Points) != 5 || !near(got.Points[0].X, w.Points[0].X) || !near(got.Points[0].Y, w.Points[0].Y) {
				t.Errorf("face %d: key points %v, want %v first", i, got.Points, w.Points[0])
			}
		}
	}
}

// A dynamic network gets the frame, shrunk where it is too large, in a tensor whose sides its strides divide.
func TestDynamicTensor(t *testing.T) {
	in := Input{Size: 64, Dynamic: true, Layout: NCHW, Colour: BGR, Channels: 3, Scale: 1, Std: [3]float32{1, 1, 1}}
	cases := []struct {
		frameW, frameH int
		w, h           int
		fit            Fit
	}{
		{64, 48, 64, 64, Fit{0, 0, 64, 48}},
		{20, 33, 32, 64, Fit{0, 0, 20, 33}},
		{128, 64, 64, 32, Fit{0, 0, 64, 32}},
		{640, 1, 64, 32, Fit{0, 0, 64, 1}},
	}
	s, dst := NewSampler(in), make([]float32, 3*64*64)
	for _, c := range cases {
		f := grey(c.frameW, c.frameH, 255)
		w, h := in.TensorSize(f)
		if w != c.w || h != c.h {
			t.Errorf("%dx%d: the tensor is %dx%d, want %dx%d", c.frameW, c.frameH, w, h, c.w, c.h)
			continue
		}
		for i := range dst {
			dst[i] = -1
		}
		if fit := s.Letterbox(Crop{Values: dst[:3*w*h]}, f); fit != c.fit {
			t.Errorf("%dx%d: it lies at %v, want %v", c.frameW, c.frameH, fit, c.fit)
		}
		for i := range 3 * w * h {
			want := float32(0)
			if x, y := i%w, i/w%h; x < int(c.fit.W) && y < int(c.fit.H) {
				want = 255
			}
			if math.Abs(float64(dst[i]-want)) > 0.01 {
				t.Fatalf("%dx%d: value %d is %v, want %v", c.frameW, c.frameH, i, dst[i], want)
			}
		}
	}
}
