package pipeline

import (
	"math"
	"testing"
)

// blazeOutput is the network's output without a face.
func blazeOutput() (scores, boxes [2][]float32) {
	for i, n := range []int{512, 384} {
		scores[i], boxes[i] = make([]float32, n), make([]float32, n*16)
		for k := range scores[i] {
			scores[i][k] = -20
		}
	}
	return scores, boxes
}

var back = Model{Input: Input{Size: 256}, Threshold: 0.6, NMS: 0.3}

func TestDecodeBlazeFace(t *testing.T) {
	scores, boxes := blazeOutput()
	set := func(level, anchor int, logit float32, v ...float32) {
		scores[level][anchor] = logit
		copy(boxes[level][anchor*16:], v)
	}
	// Cell (3, 5) of the 16×16 grid has its centre at (56, 88): a face at (60, 90), 40 by 40.
	set(0, 2*(5*16+3), 3, 4, 2, 40, 40, 1, 1)
	// The other anchor of that cell sees it slightly larger; together: the mean weighted by score.
	set(0, 2*(5*16+3)+1, 1, 4, 2, 44, 44, 3, 3)
	// Cell (6, 1) of the 8×8 grid has its centre at (208, 48).
	set(1, 6*(1*8+6)+5, 5, 0, 0, 60, 80)
	// Under the threshold of 0.6.
	set(1, 6*(7*8+7), 0.3, 0, 0, 60, 80)

	faces := DecodeBlazeFace(nil, scores, boxes, Fit{0, 32, 256, 192}, back)
	if len(faces) != 2 {
		t.Fatalf("found %d faces: %+v", len(faces), faces)
	}
	sure, seen := sigmoid(3), sigmoid(1)
	side := (40*sure + 44*seen) / (sure + seen)
	want := []Box{
		{178.0 / 256, (48 - 40 - 32) / 192.0, 60.0 / 256, 80.0 / 192},
		{(60 - side/2) / 256, (90 - side/2 - 32) / 192, side / 256, side / 192},
	}
	for i, w := range want {
		if got := faces[i].Box; !closeBox(got, w) {
			t.Errorf("face %d is at %v, want %v", i, got, w)
		}
	}
	if !near(faces[0].Score, sigmoid(5)) || !near(faces[1].Score, sure) {
		t.Errorf("scores %v, %v", faces[0].Score, faces[1].Score)
	}
	point := Point{(56 + (sure+3*seen)/(sure+seen)) / 256, (88 + (sure+3*seen)/(sure+seen) - 32) / 192}
	if got := faces[1].Points[0]; len(faces[1].Points) != 6 || !near(got.X, point.X) || !near(got.Y, point.Y) {
		t.Errorf("first key point %v of %d, want %v", got, len(faces[1].Points), point)
	}
	again := DecodeBlazeFace(faces[:0], scores, boxes, Fit{0, 32, 256, 192}, back)
	if len(again) != 2 || !closeBox(again[1].Box, want[1]) || !near(again[1].Points[0].X, point.X) {
		t.Errorf("reused memory gave %+v", again)
	}
}

func sigmoid(x float64) float32 { return float32(1 / (1 + math.Exp(-x))) }

func near(a, b float32) bool { return math.Abs(float64(a-b)) < 1e-5 }

func closeBox(a, b Box) bool {
	return near(a.X, b.X) && near(a.Y, b.Y) && near(a.W, b.W) && near(a.H, b.H)
}

func BenchmarkDecodeBlazeFace(b *testing.B) {
	scores, boxes := blazeOutput()
	for k := range 12 {
		scores[0][k*40], boxes[0][k*40*16+2], boxes[0][k*40*16+3] = 2, 30, 30
	}
	var faces []Face
	b.ReportAllocs()
	for b.Loop() {
		faces = DecodeBlazeFace(faces[:0], scores, boxes, Fit{0, 32, 256, 192}, back)
	}
}
