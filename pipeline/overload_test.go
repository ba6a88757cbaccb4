package pipeline

import "testing"

// Under overload the fast classifier is used, and the exact one again afterwards.
func TestFastClassifier(t *testing.T) {
	s := newStage(t, AnalysisPolicy{})
	fast := &steady{[]float32{0, 3}}
	s.analyzer.analysis.FastClassifier, s.analyzer.analysis.Smoothing = fast, 0
	still := blobs(320, 240, 0, 0, 1, 0)
	for _, overloaded := range []bool{false, true, false} {
		s.analyzer.Overloaded = overloaded
		exact := s.show(still, centred(0, 0)).Faces[0].Scores
		if (exact[1] > exact[0]) != overloaded {
			t.Errorf("overloaded %t: the scores are %v", overloaded, exact)
		}
	}
	s.analyzer.analysis.FastClassifier, s.analyzer.Overloaded = nil, true
	if got := s.show(still, centred(0, 0)).Faces[0].Scores; got[0] < got[1] {
		t.Errorf("without a fast classifier: %v", got)
	}
}
