package pipeline

import "testing"

// On a crowded machine the faster classifier says what is seen, and the exact one again when it no longer is.
func TestHurriedClassifier(t *testing.T) {
	s := newStage(t, Economy{})
	fast := &steady{[]float32{0, 3}}
	s.analyzer.how.Hurried, s.analyzer.how.Smoothing = fast, 0
	still := blobs(320, 240, 0, 0, 1, 0)
	for _, full := range []bool{false, true, false} {
		s.analyzer.Crowded = full
		exact := s.show(still, centred(0, 0)).Faces[0].Scores
		if (exact[1] > exact[0]) != full {
			t.Errorf("full %t: the scores are %v", full, exact)
		}
	}
	s.analyzer.how.Hurried, s.analyzer.Crowded = nil, true
	if got := s.show(still, centred(0, 0)).Faces[0].Scores; got[0] < got[1] {
		t.Errorf("without a faster classifier: %v", got)
	}
}
