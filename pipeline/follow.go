package pipeline

import "time"

// Economy says what is left out where it would change little. The zero Economy leaves nothing out: faces are found
// and classified anew in every frame.
type Economy struct {
	// Detect is the time between two detections while all known faces can be followed without. A new face is
	// seen so much later at most, or Rest later where nothing moves.
	Detect time.Duration
	// Classify is the time between two classifications of a face that changes.
	Classify time.Duration
	// Rest takes the place of both for faces that stay as they are. One that then moves or changes is looked at
	// at once, since the shorter time has passed. Where it is not longer than them it does nothing.
	Rest time.Duration
	// Change is what counts as one: the mean difference of a face's picture since it was last looked at, in grey
	// levels of 255.
	Change float64
	// Doubt is the slack of the smoothed probabilities under which a face is in doubt: where so small a change of them
	// would show something else. Then it is classified in every frame, on a machine that is full too.
	Doubt float64
	// PutOff is the longest that a stream that waits for its turn is only followed (Analyzer.Follow), which keeps its labels' rate up
	// on a machine that is full.
	PutOff time.Duration
}

const (
	// sureLeft is how much a followed face may differ from when it was detected, in grey levels. More is somebody
	// who turns, is hidden, or left, and a detection says what there is.
	sureLeft = 9
	// restMove is how far a face may have moved since it was detected and be at rest, in its box's sides.
	restMove = 0.03
)

// look is what is known of how a face looks.
type look struct {
	found    reference // when it was detected
	rated    reference // when it was classified
	foundAt  Box       // where that was
	at       Box       // where it is
	score    float32   // of the detector
	scored   bool      // rated is set
	scoredAt time.Time // by the clock of tracking
	change   float32   // since then, in grey levels
}

// follow gives the faces of f: those of the latest detection carried along, where that is sure and not too long
// ago, or else those that the detector finds.
func (a *Analyzer) follow(detect func() error, f *Frame) error {
	if a.carry(f) {
		return nil
	}
	if err := detect(); err != nil {
		return err
	}
	a.detected, a.detectedAt = true, a.now
	a.tracks = a.tracker.update(a.tracks[:0], a.faces, aspectOf(f), a.now)
	for i, k := range a.tracks {
		k.look.foundAt, k.look.at, k.look.score = a.faces[i].Box, a.faces[i].Box, a.faces[i].Score
		if a.how.Economy == (Economy{}) {
			continue
		}
		a.patch.sample(&a.patches, f, patchRegion(k.look.at, f))
		k.look.found.set(&a.patch)
		k.look.compare(&a.patch)
	}
	return nil
}

// carry finds the known faces in f by how they looked when they were detected. It is false where it is time for a
// detection, or where a face cannot be found for sure.
func (a *Analyzer) carry(f *Frame) bool {
	e := a.how.Economy
	age := a.now.Sub(a.detectedAt)
	late := age >= max(e.Detect, e.Rest)
	if !a.detected || late && !a.following {
		return false
	}
	for _, k := range a.tracks {
		region := patchRegion(k.look.at, f)
		a.patch.sample(&a.patches, f, region)
		s, left, ok := k.look.found.register(&a.patch)
		if !ok || left > sureLeft {
			return false
		}
		k.look.at = k.look.at.moved(s, region, f)
		moves := float64(left) >= e.Change || k.look.at.far(k.look.foundAt) > restMove
		if moves && age >= e.Detect && !a.following {
			return false
		}
		k.look.compare(&a.patch)
	}
	if len(a.tracks) == 0 && age >= e.Detect && !a.following {
		return false
	}
	a.faces = a.faces[:0]
	for _, k := range a.tracks {
		a.tracker.carry(k, k.look.at, aspectOf(f), a.now)
		a.faces = appendFace(a.faces)
		face := &a.faces[len(a.faces)-1]
		face.Box, face.Score = k.look.at, k.look.score
	}
	return true
}

// Follow says in m what can be told of f without a turn of the machine: the faces that are known, where they are now, with the scores
// that they have. It is false where that is not sure, or where nothing has been looked for for PutOff; then m is as Look begins it.
func (a *Analyzer) Follow(m *Message, f *Frame) bool {
	a.begin(m, f)
	if !a.detected || a.now.Sub(a.detectedAt) >= a.how.Economy.PutOff {
		return false
	}
	began := time.Now()
	a.following = true
	sure := a.carry(f)
	a.following = false
	if !sure {
		return false
	}
	for _, k := range a.tracks {
		k.smoother.hold(a.how.Smoothing, a.now)
		k.smoother.choose(a.how.Smoothing, a.how.Model.Uncertain)
		if !k.look.scored || float64(k.smoother.slack(a.how.Model.Uncertain)) < a.how.Economy.Doubt {
			return false
		}
	}
	m.MS.Detect = milliseconds(time.Since(began))
	m.Faces = a.label()
	return true
}

// compare says how much a face has changed since it was classified. One that cannot be laid over itself has
// changed beyond measure.
func (l *look) compare(p *patch) {
	if !l.scored {
		return
	}
	_, left, ok := l.rated.register(p)
	if l.change = left; !ok {
		l.change = 255
	}
}

// due says whether a face is to be classified: one without scores, with old ones, that has changed, or that is in doubt.
func (a *Analyzer) due(k *track) bool {
	e, age := a.how.Economy, a.now.Sub(k.look.scoredAt)
	changed := age >= e.Classify && float64(k.look.change) >= e.Change
	return !k.look.scored || changed || age >= max(e.Classify, e.Rest) || float64(k.smoother.slack(a.how.Model.Uncertain)) < e.Doubt
}

// rate notes that a face is classified as it is in f.
func (a *Analyzer) rate(k *track, f *Frame) {
	k.look.scored, k.look.scoredAt, k.look.change = true, a.now, 0
	if a.how.Economy != (Economy{}) {
		a.patch.sample(&a.patches, f, patchRegion(k.look.at, f))
		k.look.rated.set(&a.patch)
	}
}

func aspectOf(f *Frame) float64 { return float64(f.Width) / float64(f.Height) }
