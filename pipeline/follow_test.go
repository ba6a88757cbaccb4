package pipeline

import (
	"context"
	"math"
	"testing"
	"time"
)

// scripted finds what a test says is there, and counts how often it was asked.
type scripted struct {
	faces []Face
	calls int
}

func (d *scripted) Detect(_ context.Context, dst []Face, _ *Frame) ([]Face, error) {
	d.calls++
	return append(dst, d.faces...), nil
}

// steady sees the same in all faces, as long as a test says so.
type steady struct{ logits []float32 }

func (c *steady) Classify(_ context.Context, dst []Scores, crops []Crop) ([]Scores, error) {
	for range crops {
		dst = append(dst, Scores{Logits: c.logits})
	}
	return dst, nil
}

// stage shows frames of a face to an analyzer, 30 a second.
type stage struct {
	t          *testing.T
	detector   *scripted
	classifier *steady
	analyzer   *Analyzer
	now        time.Time
}

var shipped = Economy{Detect: 100 * time.Millisecond, Classify: 100 * time.Millisecond, Rest: 300 * time.Millisecond, Change: 3, Doubt: 0.1, PutOff: 500 * time.Millisecond}

func newStage(t *testing.T, e Economy) *stage {
	d, c := &scripted{}, &steady{[]float32{3, 0}}
	how := analysis(d, c)
	how.Economy = e
	return &stage{t: t, detector: d, classifier: c, analyzer: NewAnalyzer(how), now: time.Unix(100, 0)}
}

// centred is the box that a detector gives of the face that blobs shows, moved by (dx, dy) pixels of 320 by 240.
func centred(dx, dy float64) Box {
	return Box{float32(0.35 + dx/320), float32(0.3 + dy/240), 0.3, 0.4}
}

// show analyses f, in which the detector would find these boxes.
func (s *stage) show(f *Frame, boxes ...Box) Message {
	s.t.Helper()
	s.now = s.now.Add(time.Second / 30)
	f.Arrived = s.now
	s.detector.faces = s.detector.faces[:0]
	for _, b := range boxes {
		s.detector.faces = append(s.detector.faces, Face{Box: b, Score: 0.9})
	}
	var m Message
	if err := s.analyzer.Analyze(s.t.Context(), &m, f); err != nil {
		s.t.Fatal(err)
	}
	return m
}

func TestFacesAreFollowedBetweenDetections(t *testing.T) {
	s := newStage(t, shipped)
	for n := range 90 {
		dx, dy := 30*math.Sin(float64(n)/12), 10*math.Cos(float64(n)/9)
		m := s.show(blobs(320, 240, dx, dy, 1, 0), centred(dx, dy))
		if len(m.Faces) != 1 || m.Faces[0].ID != 1 {
			t.Fatalf("frame %d: %+v", n, m.Faces)
		}
		want, got := centred(dx, dy), m.Faces[0].Box
		if o := want.IoU(Box{got[0], got[1], got[2], got[3]}); o < 0.95 {
			t.Errorf("frame %d: the box %v lies on %v by %.3f", n, got, want, o)
		}
	}
	if n := s.detector.calls; n < 20 || n > 35 {
		t.Errorf("%d detections in 90 frames of a face that moves, want one in three", n)
	}
	if c := s.analyzer.Tally(); c.Frames != 90 || c.Faces != 90 || c.Detected != uint64(s.detector.calls) {
		t.Errorf("%+v", c)
	}
}

func TestRestingFacesAreLookedAtLess(t *testing.T) {
	s := newStage(t, shipped)
	still := blobs(320, 240, 0, 0, 1, 0)
	for range 90 {
		s.show(still, centred(0, 0))
	}
	if c := s.analyzer.Tally(); c.Detected > 11 || c.Classified > 11 || c.Detected < 9 || c.Classified < 9 {
		t.Errorf("in three seconds of a still face: %+v; want ten of each", c)
	}
}

// A face that has rested for a while and changes is classified at once; one that moves is detected at once.
func TestWhatChangesIsLookedAtAtOnce(t *testing.T) {
	s := newStage(t, shipped)
	still := blobs(320, 240, 0, 0, 1, 0)
	for range 5 {
		s.show(still, centred(0, 0))
	}
	before := s.analyzer.Tally()
	changed := blobs(320, 240, 0, 0, 1, 0)
	for j := 130; j < 150; j++ {
		for i := 140; i < 180; i++ {
			changed.Y[j*changed.YStride+i] = 20
		}
	}
	m := s.show(changed, centred(0, 0))
	if after := s.analyzer.Tally(); after.Classified != before.Classified+1 {
		t.Errorf("a mouth opened, and the face was not classified: %+v", after)
	}
	if m.Faces[0].AgeMS > milliseconds(time.Since(s.now)) {
		t.Errorf("its scores are %v ms old", m.Faces[0].AgeMS)
	}
	for range 5 {
		s.show(changed, centred(0, 0))
	}
	before = s.analyzer.Tally()
	s.show(blobs(320, 240, 12, 0, 1, 0), centred(12, 0))
	if after := s.analyzer.Tally(); after.Detected != before.Detected+1 {
		t.Errorf("the face moved, and nothing was detected: %+v", after)
	}
}

// While a small change of the scores would show something else a face is classified in every frame, on a machine that is full too.
func TestFacesInDoubtAreClassified(t *testing.T) {
	s := newStage(t, shipped)
	still := blobs(320, 240, 0, 0, 1, 0)
	frames := func(n int) uint64 {
		before := s.analyzer.Tally().Classified
		for range n {
			s.show(still, centred(0, 0))
		}
		return s.analyzer.Tally().Classified - before
	}
	if n := frames(31); n > 5 {
		t.Errorf("%d classifications in a second of a face that is at rest and clear", n)
	}
	s.classifier.logits = []float32{0, 0.1}
	frames(30) // until the smoothed scores are so
	for _, full := range []bool{false, true} {
		s.analyzer.Hurry = full
		if n := frames(30); n != 30 {
			t.Errorf("full %t: %d classifications in 30 frames of a face in doubt", full, n)
		}
	}
	s.analyzer.Hurry = false
	s.classifier.logits = []float32{0, 3}
	frames(30)
	if n := frames(30); n > 5 {
		t.Errorf("%d classifications in a second of a face that is clear again", n)
	}
}

func TestLostFacesAreDetectedAtOnce(t *testing.T) {
	s := newStage(t, shipped)
	s.show(blobs(320, 240, 0, 0, 1, 0), centred(0, 0))
	s.show(blobs(320, 240, 0, 0, 1, 0), centred(0, 0))
	elsewhere := grey(320, 240, 90)
	for i := range elsewhere.Y {
		elsewhere.Y[i] = byte(i * 7)
	}
	if m := s.show(elsewhere); len(m.Faces) != 0 || s.detector.calls != 2 {
		t.Errorf("%d faces after a cut, %d detections", len(m.Faces), s.detector.calls)
	}
}

func TestNewFacesAreSeenSoon(t *testing.T) {
	for name, first := range map[string][]Box{"beside nobody": nil, "beside one who rests": {centred(0, 0)}} {
		s := newStage(t, shipped)
		still := blobs(320, 240, 0, 0, 1, 0)
		for range 4 {
			s.show(still, first...)
		}
		waited := 0
		for len(s.show(still, append(first, Box{0.05, 0.05, 0.1, 0.1})...).Faces) == len(first) {
			waited++
			if waited > 9 {
				t.Errorf("%s: a new face is not seen within 300 ms", name)
				break
			}
		}
	}
}

// Without an economy every frame is looked at whole.
func TestEveryFrame(t *testing.T) {
	s := newStage(t, Economy{})
	for range 10 {
		s.show(blobs(320, 240, 0, 0, 1, 0), centred(0, 0))
	}
	if c := s.analyzer.Tally(); c.Detected != 10 || c.Classified != 10 {
		t.Errorf("%+v", c)
	}
}

// Between detections nothing is allocated either.
func TestFollowingAllocatesNothing(t *testing.T) {
	s := newStage(t, shipped)
	frames := []*Frame{blobs(320, 240, 0, 0, 1, 0), blobs(320, 240, 3, 1, 1, 0), blobs(320, 240, 0, 2, 1, 0)}
	for _, f := range frames {
		s.show(f, centred(0, 0))
	}
	n, ctx, m := 0, t.Context(), Message{}
	allocs := testing.AllocsPerRun(60, func() {
		s.now = s.now.Add(time.Second / 30)
		f := frames[n%len(frames)]
		f.Arrived = s.now
		n++
		if err := s.analyzer.Analyze(ctx, &m, f); err != nil {
			t.Error(err)
		}
	})
	if allocs > 0 {
		t.Errorf("%v allocations a frame", allocs)
	}
}

// On a machine that is full two of three frames are only followed, but not for ever.
func TestHurryPutsOffWhatIsDue(t *testing.T) {
	s := newStage(t, shipped)
	s.analyzer.Hurry = true
	for n := range 20 { // a frame every 133 ms
		s.now = s.now.Add(100 * time.Millisecond)
		dx := 20 * math.Sin(float64(n)/4)
		s.show(blobs(320, 240, dx, 0, 1, 0), centred(dx, 0))
	}
	if c := s.analyzer.Tally(); c.Detected < 5 || c.Detected > 9 || c.Classified < 5 || c.Classified > 9 {
		t.Errorf("%+v; want about every third frame", c)
	}
	s = newStage(t, shipped)
	s.analyzer.Hurry = true
	for range 10 {
		s.now = s.now.Add(time.Second)
		s.show(blobs(320, 240, 0, 0, 1, 0), centred(0, 0))
	}
	if c := s.analyzer.Tally(); c.Detected != 10 || c.Classified != 10 {
		t.Errorf("%+v of a stream with a frame a second; want all", c)
	}
}

func TestSmallFacesAreLeftOut(t *testing.T) {
	s := newStage(t, shipped)
	s.analyzer.how.MinFace = 0.2
	m := s.show(blobs(320, 240, 0, 0, 1, 0), Box{0.1, 0.1, 0.1, 0.1}, centred(0, 0), Box{0.7, 0.1, 0.12, 0.12})
	if len(m.Faces) != 1 || m.Faces[0].Box != [4]float32{0.35, 0.3, 0.3, 0.4} {
		t.Errorf("%+v; want the large one alone", m.Faces)
	}
	for least, want := range map[float64]int{0: 640, 0.02: 640, 0.1: 480, 0.3: 160} {
		m := Model{Input: Input{Dynamic: true, Size: 640}}
		if got := m.ForFaces(least).Input.Size; got != want {
			t.Errorf("for faces of %v the picture has %d pixels, want %d", least, got, want)
		}
	}
}
