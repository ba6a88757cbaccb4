package pipeline

import (
	"context"
	"math"
	"testing"
	"time"
)

// scripted finds the faces that a test sets, and counts its calls.
type scripted struct {
	faces []Face
	calls int
}

func (d *scripted) Detect(_ context.Context, dst []Face, _ *Frame) ([]Face, error) {
	d.calls++
	return append(dst, d.faces...), nil
}

// steady answers the same logits for all faces.
type steady struct{ logits []float32 }

func (c *steady) Classify(_ context.Context, dst []Scores, crops []Crop) ([]Scores, error) {
	for range crops {
		dst = append(dst, Scores{Logits: c.logits})
	}
	return dst, nil
}

// stage shows frames of a face to an analyzer, 30 each second.
type stage struct {
	t          *testing.T
	detector   *scripted
	classifier *steady
	analyzer   *Analyzer
	now        time.Time
}

var shipped = AnalysisPolicy{
	DetectEvery: 100 * time.Millisecond, ClassifyEvery: 100 * time.Millisecond, RestEvery: 300 * time.Millisecond,
	MinChange: 3, MinMargin: 0.1, MaxDefer: 300 * time.Millisecond,
}

func newStage(t *testing.T, policy AnalysisPolicy) *stage {
	d, c := &scripted{}, &steady{[]float32{3, 0}}
	how := analysis(d, c)
	how.Policy = policy
	return &stage{t: t, detector: d, classifier: c, analyzer: NewAnalyzer(how), now: time.Unix(100, 0)}
}

// centred returns the box of the face that blobs shows, moved by (dx, dy) pixels of 320 by 240.
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
			t.Errorf("frame %d: the box %v overlaps %v by %.3f", n, got, want, o)
		}
	}
	if n := s.detector.calls; n < 20 || n > 35 {
		t.Errorf("%d detections in 90 frames of a face that moves, want one in three", n)
	}
	if c := s.analyzer.Counts(); c.Frames != 90 || c.Faces != 90 || c.Detected != uint64(s.detector.calls) {
		t.Errorf("%+v", c)
	}
}

func TestRestingFacesAreAnalysedLess(t *testing.T) {
	s := newStage(t, shipped)
	still := blobs(320, 240, 0, 0, 1, 0)
	for range 90 {
		s.show(still, centred(0, 0))
	}
	if c := s.analyzer.Counts(); c.Detected > 11 || c.Classified > 11 || c.Detected < 9 || c.Classified < 9 {
		t.Errorf("in three seconds of a still face: %+v; want ten of each", c)
	}
}

// A face that has rested for a while and changes is classified at once; one that moves is detected at once.
func TestChangesAreAnalysedAtOnce(t *testing.T) {
	s := newStage(t, shipped)
	still := blobs(320, 240, 0, 0, 1, 0)
	for range 5 {
		s.show(still, centred(0, 0))
	}
	before := s.analyzer.Counts()
	changed := blobs(320, 240, 0, 0, 1, 0)
	for j := 130; j < 150; j++ {
		for i := 140; i < 180; i++ {
			changed.Y[j*changed.YStride+i] = 20
		}
	}
	m := s.show(changed, centred(0, 0))
	if after := s.analyzer.Counts(); after.Classified != before.Classified+1 {
		t.Errorf("a mouth opened, and the face was not classified: %+v", after)
	}
	if m.Faces[0].AgeMS > milliseconds(time.Since(s.now)) {
		t.Errorf("its scores are %v ms old", m.Faces[0].AgeMS)
	}
	for range 5 {
		s.show(changed, centred(0, 0))
	}
	before = s.analyzer.Counts()
	s.show(blobs(320, 240, 12, 0, 1, 0), centred(12, 0))
	if after := s.analyzer.Counts(); after.Detected != before.Detected+1 {
		t.Errorf("the face moved, and nothing was detected: %+v", after)
	}
}

// A face in doubt is classified in every frame, and is not only followed.
func TestFacesInDoubtAreClassified(t *testing.T) {
	s := newStage(t, shipped)
	still := blobs(320, 240, 0, 0, 1, 0)
	frames := func(n int) uint64 {
		before := s.analyzer.Counts().Classified
		for range n {
			s.show(still, centred(0, 0))
		}
		return s.analyzer.Counts().Classified - before
	}
	if n := frames(31); n > 5 {
		t.Errorf("%d classifications in a second of a face that is at rest and clear", n)
	}
	s.classifier.logits = []float32{0, 0.1}
	frames(30) // until the smoothed scores are so
	if n := frames(30); n != 30 {
		t.Errorf("%d classifications in 30 frames of a face in doubt", n)
	}
	if m, ok := s.follow(still); ok {
		t.Errorf("a face in doubt was only followed: %+v", m.Faces)
	}
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
	for name, first := range map[string][]Box{"in an empty picture": nil, "beside a face at rest": {centred(0, 0)}} {
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

// The zero policy detects and classifies in every frame.
func TestEveryFrame(t *testing.T) {
	s := newStage(t, AnalysisPolicy{})
	for range 10 {
		s.show(blobs(320, 240, 0, 0, 1, 0), centred(0, 0))
	}
	if c := s.analyzer.Counts(); c.Detected != 10 || c.Classified != 10 {
		t.Errorf("%+v", c)
	}
}

// Following allocates nothing either.
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
		if n%2 == 0 && s.analyzer.Follow(&m, f) {
			return
		}
		if err := s.analyzer.Analyze(ctx, &m, f); err != nil {
			t.Error(err)
		}
	})
	if allocs > 0 {
		t.Errorf("%v allocations a frame", allocs)
	}
}

// follow shows f while the stream has no slot.
func (s *stage) follow(f *Frame) (m Message, ok bool) {
	s.now = s.now.Add(time.Second / 30)
	f.Arrived = s.now
	ok = s.analyzer.Follow(&m, f)
	return m, ok
}

// Without a slot faces are followed with the scores that they have, for MaxDefer at most.
func TestFollow(t *testing.T) {
	s := newStage(t, shipped)
	if m, ok := s.follow(blobs(320, 240, 0, 0, 1, 0)); ok {
		t.Errorf("before the first detection: %+v", m)
	}
	m := s.show(blobs(320, 240, 0, 0, 1, 0), centred(0, 0))
	before, detected, scores := s.analyzer.Counts(), s.now, m.Faces[0].Scores[0]
	for n := 1; ; n++ {
		dx := 10 * math.Sin(float64(n)/4)
		m, ok := s.follow(blobs(320, 240, dx, 0, 1, 0))
		if age := s.now.Sub(detected); ok != (age < shipped.MaxDefer) {
			t.Fatalf("after %v: followed %t", age, ok)
		}
		if !ok {
			break
		}
		box := Box{m.Faces[0].Box[0], m.Faces[0].Box[1], m.Faces[0].Box[2], m.Faces[0].Box[3]}
		same := len(m.Faces) == 1 && m.Faces[0].ID == 1 && m.Width == 320 && m.Faces[0].Scores[0] == scores
		if !same || box.IoU(centred(dx, 0)) < 0.9 {
			t.Errorf("moved by %v: %+v", dx, m)
		}
		if least := milliseconds(s.now.Sub(detected)); m.Faces[0].AgeMS < least {
			t.Errorf("the scores are %v ms old by the label, and at least %v in fact", m.Faces[0].AgeMS, least)
		}
	}
	if s.analyzer.Counts() != before {
		t.Errorf("%+v, before %+v", s.analyzer.Counts(), before)
	}
	calls := s.detector.calls
	s.show(blobs(320, 240, 0, 0, 1, 0), centred(0, 0))
	if c := s.analyzer.Counts(); s.detector.calls != calls+1 || c.Classified != before.Classified+1 {
		t.Errorf("%+v with a slot; what was due by then is to be done", c)
	}
}

// A face that is not found for certain needs a detection, and a frame that was followed can be analysed again.
func TestFollowOnlyWhatIsCertain(t *testing.T) {
	s := newStage(t, shipped)
	s.show(blobs(320, 240, 0, 0, 1, 0), centred(0, 0))
	elsewhere := grey(320, 240, 90)
	for i := range elsewhere.Y {
		elsewhere.Y[i] = byte(i * 7)
	}
	if m, ok := s.follow(elsewhere); ok {
		t.Errorf("after a cut: %+v", m.Faces)
	}
	there := blobs(320, 240, 8, 0, 1, 0)
	if _, ok := s.follow(there); !ok {
		t.Fatal("the face is back, and is not followed")
	}
	s.now = s.now.Add(-time.Second / 30)
	if m := s.show(there, centred(8, 0)); len(m.Faces) != 1 || m.Faces[0].ID != 1 {
		t.Errorf("the same frame with a slot: %+v", m.Faces)
	}
	s.analyzer.analysis.Policy.MaxDefer = 0
	if _, ok := s.follow(there); ok {
		t.Error("no detection may be deferred, and a frame was only followed")
	}
}

func TestSmallFacesAreLeftOut(t *testing.T) {
	s := newStage(t, shipped)
	s.analyzer.analysis.MinFace = 0.2
	m := s.show(blobs(320, 240, 0, 0, 1, 0), Box{0.1, 0.1, 0.1, 0.1}, centred(0, 0), Box{0.7, 0.1, 0.12, 0.12})
	if len(m.Faces) != 1 || m.Faces[0].Box != [4]float32{0.35, 0.3, 0.3, 0.4} {
		t.Errorf("%+v; want the large one alone", m.Faces)
	}
	for least, want := range map[float64]int{0: 640, 0.02: 640, 0.1: 480, 0.3: 160} {
		m := Model{Input: Input{Dynamic: true, Size: 640}}
		if got := m.ForMinFace(least).Input.Size; got != want {
			t.Errorf("for faces of %v the picture has %d pixels, want %d", least, got, want)
		}
	}
}
