package pipeline

import "time"

// AnalysisPolicy says which detections and classifications are skipped because they would change little. The zero value
// skips none: faces are detected and classified in every frame.
type AnalysisPolicy struct {
	// DetectEvery is the time between two detections while all known faces can be followed. A new face is seen at most
	// this much later, or RestEvery later where nothing moves.
	DetectEvery time.Duration
	// ClassifyEvery is the time between two classifications of a face that changes.
	ClassifyEvery time.Duration
	// RestEvery replaces both for faces that neither move nor change. A face that then moves or changes is detected or
	// classified at once, since the shorter time has passed. It has no effect unless it is longer than the other two.
	RestEvery time.Duration
	// MinChange is the mean difference of a face's picture since its last classification from which the face counts as
	// changed, in grey levels of 255.
	MinChange float64
	// MinMargin is the margin of the smoothed probabilities under which a face is in doubt: a change of them by so
	// little would change what is shown. A face in doubt is classified in every frame, under overload too.
	MinMargin float64
	// MaxDefer is the longest time that a stream that waits for its slot only follows its faces (Analyzer.Follow).
	// Following keeps the rate of its labels up under overload.
	MaxDefer time.Duration
}

// isDue reports whether a face is to be classified: it has no scores, or old ones, or it has changed, or is in doubt.
func (a *Analyzer) isDue(k *track) bool {
	p, age := a.analysis.Policy, a.now.Sub(k.appearance.classifiedAt)
	changed := age >= p.ClassifyEvery && float64(k.appearance.change) >= p.MinChange
	return !k.appearance.classified || changed || age >= max(p.ClassifyEvery, p.RestEvery) || a.inDoubt(k)
}

func (a *Analyzer) inDoubt(k *track) bool {
	return float64(k.smoother.margin(a.analysis.Model.Uncertain)) < a.analysis.Policy.MinMargin
}
