package pipeline

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

const aspect43 = 4.0 / 3

// scene feeds a tracker with synthetic faces at a frame rate.
type scene struct {
	tracker Tracker
	now     time.Time
	frame   time.Duration
	noise   *rand.Rand
}

func newScene(fps int, seed uint64) *scene {
	return &scene{now: time.Unix(100, 0), frame: time.Second / time.Duration(fps),
		noise: rand.New(rand.NewPCG(seed, 7))}
}

// step shows faces at the given centres (in fractions of the width) and returns their ids.
func (s *scene) step(side float64, centres ...float64) []uint64 {
	s.now = s.now.Add(s.frame)
	faces := make([]Face, len(centres))
	for i, c := range centres {
		jitter := func() float64 { return s.noise.NormFloat64() * 0.015 * side }
		w, h := side/aspect43, side
		faces[i] = Face{Score: 0.9, Box: Box{float32(c - w/2 + jitter()), float32(0.4 - h/2 + jitter()),
			float32(w + jitter()), float32(h + jitter())}}
	}
	var ids []uint64
	for _, k := range s.tracker.update(nil, faces, aspect43, s.now) {
		ids = append(ids, k.id)
	}
	return ids
}

func TestTrackerKeepsIdWhileFaceMoves(t *testing.T) {
	for _, fps := range []int{5, 12, 30} {
		s := newScene(fps, 1)
		first := s.step(0.3, 0.2)[0]
		for i := range 4 * fps {
			x := 0.5 - 0.3*math.Cos(2*math.Pi*float64(i)/float64(2*fps)) // side to side in 2 s
			if id := s.step(0.3, x)[0]; id != first {
				t.Fatalf("%d fps: id %d became %d at frame %d", fps, first, id, i)
			}
		}
	}
}

// What the detector finds while two faces overlap.
const (
	bothSeen   = iota
	nearerSeen // one hides the other
	merged     // one box for both, between them
)

// Two people swap sides.
func TestTrackerTwoFacesSwapSides(t *testing.T) {
	const side = 0.3
	for _, fps := range []int{10, 24, 30} {
		for _, seconds := range []float64{1, 2, 3} {
			for _, overlap := range []int{bothSeen, nearerSeen, merged} {
				for seed := range uint64(20) {
					name := fmt.Sprintf("%d fps, %g s, overlap %d, seed %d", fps, seconds, overlap, seed)
					if a, b := swap(newScene(fps, seed), side, seconds, overlap); a != 1 || b != 2 {
						t.Errorf("%s: the faces 1 and 2 became %d and %d", name, a, b)
					}
				}
			}
		}
	}
}

// swap returns the ids, after the swap, of the faces that began with ids 1 and 2.
func swap(s *scene, side, seconds float64, overlap int) (a, b uint64) {
	for range 10 {
		s.step(side, 0.2, 0.8)
	}
	n := int(seconds * s.frameRate())
	for i := range n {
		x := 0.2 + 0.6*float64(i)/float64(n)
		overlaps := math.Abs(1-2*x)*aspect43 < 0.55*side // the boxes' IoU passes the detector's 0.3
		switch {
		case overlaps && overlap == nearerSeen:
			s.step(side, x)
		case overlaps && overlap == merged:
			s.step(side, 0.5)
		default:
			s.step(side, x, 1-x)
		}
	}
	ids := s.step(side, 0.8, 0.2)
	return ids[0], ids[1]
}

func (s *scene) frameRate() float64 { return float64(time.Second) / float64(s.frame) }

func TestTrackerForgetsAndRemembers(t *testing.T) {
	s := newScene(20, 3)
	first := s.step(0.3, 0.5)[0]
	for range 10 { // half a second behind a hand
		s.step(0.3)
	}
	if id := s.step(0.3, 0.52)[0]; id != first {
		t.Fatalf("after half a second the face %d is %d", first, id)
	}
	for range 30 {
		s.step(0.3)
	}
	if id := s.step(0.3, 0.52)[0]; id == first {
		t.Fatal("a face that was gone for 1.5 s kept its id")
	}
	if n := len(s.tracker.tracks); n != 1 {
		t.Fatalf("%d tracks are kept, want 1", n)
	}
}

func TestTrackerGivesANewFaceANewId(t *testing.T) {
	s := newScene(20, 4)
	for range 5 {
		s.step(0.2, 0.3)
	}
	ids := s.step(0.2, 0.9, 0.31)
	if ids[1] != 1 || ids[0] != 2 {
		t.Fatalf("ids %v, want the new face at 0.9 to be 2 and the old face 1", ids)
	}
}
