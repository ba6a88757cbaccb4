package pipeline

import (
	"context"
	"time"
)

const (
	// maxResidual is how much a followed face may differ from its picture at detection, in grey levels. A face that
	// differs more turns, is hidden or has left, and a detection is needed.
	maxResidual = 9
	// maxRestMove is how far a face at rest may have moved since it was detected, in its box's sides.
	maxRestMove = 0.03
)

// appearance is what a track knows of how its face looks.
type appearance struct {
	detected     reference // the face at its latest detection
	detectedBox  Box       // likewise
	score        float32   // likewise, of the detector
	box          Box       // in the present frame
	atScores     reference // the face at its latest classification
	classified   bool      // atScores is set
	classifiedAt time.Time // by the analyzer's clock, now
	change       float32   // since then, in grey levels
}

// findFaces sets the faces of f: those of the latest detection, followed, where that is certain and recent enough, or
// else those that the detector finds.
func (a *Analyzer) findFaces(ctx context.Context, f *Frame) error {
	if a.followFaces(f, false) {
		return nil
	}
	if err := a.runDetector(ctx, f); err != nil {
		return err
	}
	a.detected, a.detectedAt = true, a.now
	a.tracks = a.tracker.update(a.tracks[:0], a.faces, aspectOf(f), a.now)
	for i, k := range a.tracks {
		k.appearance.detectedBox, k.appearance.box, k.appearance.score = a.faces[i].Box, a.faces[i].Box,
			a.faces[i].Score
		if a.analysis.Policy == (AnalysisPolicy{}) {
			continue
		}
		a.patch.sample(&a.patches, f, patchRegion(k.appearance.box, f))
		k.appearance.detected.set(&a.patch)
		k.appearance.measureChange(&a.patch)
	}
	return nil
}

// followFaces finds the known faces in f by how they looked when they were detected. It reports false where a face
// cannot be found for certain or, unless followOnly is set, where it is time for a detection.
func (a *Analyzer) followFaces(f *Frame, followOnly bool) bool {
	p := a.analysis.Policy
	age := a.now.Sub(a.detectedAt)
	if !a.detected || age >= max(p.DetectEvery, p.RestEvery) && !followOnly {
		return false
	}
	for _, k := range a.tracks {
		region := patchRegion(k.appearance.box, f)
		a.patch.sample(&a.patches, f, region)
		s, residual, ok := k.appearance.detected.register(&a.patch)
		if !ok || residual > maxResidual {
			return false
		}
		k.appearance.box = k.appearance.box.shifted(s, region, f)
		moves := float64(residual) >= p.MinChange || k.appearance.box.edgeShift(k.appearance.detectedBox) > maxRestMove
		if moves && age >= p.DetectEvery && !followOnly {
			return false
		}
		k.appearance.measureChange(&a.patch)
	}
	if len(a.tracks) == 0 && age >= p.DetectEvery && !followOnly {
		return false
	}
	a.faces = a.faces[:0]
	for _, k := range a.tracks {
		k.predict(a.now)
		k.correct(k.appearance.box, aspectOf(f), a.now)
		a.faces = appendFace(a.faces)
		face := &a.faces[len(a.faces)-1]
		face.Box, face.Score = k.appearance.box, k.appearance.score
	}
	return true
}

// Follow fills in m without a detection or a classification, so that it needs no slot: the known faces, where they
// are in f, with the scores that they have. It reports false if that is not certain, or if the latest detection is
// MaxDefer ago. Then m.Faces is not set.
func (a *Analyzer) Follow(m *Message, f *Frame) bool {
	a.startFrame(m, f)
	if !a.detected || a.now.Sub(a.detectedAt) >= a.analysis.Policy.MaxDefer {
		return false
	}
	began := time.Now()
	if !a.followFaces(f, true) {
		return false
	}
	for _, k := range a.tracks {
		k.smoother.advance(a.analysis.Smoothing, a.now)
		k.smoother.decide(a.analysis.Smoothing, a.analysis.Model.Uncertain)
		if !k.appearance.classified || a.inDoubt(k) {
			return false
		}
	}
	m.MS.Detect = milliseconds(time.Since(began))
	m.Faces = a.makeLabels()
	return true
}

// measureChange sets how much a face has changed since it was classified. A face that cannot be registered has changed
// as much as possible.
func (l *appearance) measureChange(p *patch) {
	if !l.classified {
		return
	}
	_, residual, ok := l.atScores.register(p)
	if l.change = residual; !ok {
		l.change = 255
	}
}

// markClassified records that a face is classified as it is in f.
func (a *Analyzer) markClassified(k *track, f *Frame) {
	k.appearance.classified, k.appearance.classifiedAt, k.appearance.change = true, a.now, 0
	if a.analysis.Policy != (AnalysisPolicy{}) {
		a.patch.sample(&a.patches, f, patchRegion(k.appearance.box, f))
		k.appearance.atScores.set(&a.patch)
	}
}

func aspectOf(f *Frame) float64 { return float64(f.Width) / float64(f.Height) }
