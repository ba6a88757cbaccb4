package pipeline

import (
	"context"
	"fmt"
	"time"
)

// Analysis says with what and how frames are analysed. It is shared by all sessions.
type Analysis struct {
	Detector   Detector
	Classifier Classifier
	Hurried    Classifier    // takes its place on a crowded machine: faster, and nearly the same. None
	Model      Model         // of the classifier
	Smoothing  time.Duration // time constant of the scores' running mean; 0 is none
	MaxFaces   int           // at most so many a frame, best detections first
	MinFace    float64       // least longer side of a face, in the frame's longer side; 0 is any
	Economy    Economy
}

// Analyzer finds, follows and labels the faces of one stream. It is owned by one goroutine.
type Analyzer struct {
	// Attention says whether labels tell where the classifier looks, for models that know.
	Attention bool
	// Crowded says that the machine is full, or was a moment ago: see Analysis.Hurried.
	Crowded bool

	// changed by Use
	how     Analysis
	sampler *Sampler

	// of the latest frame
	now        time.Time
	detected   bool      // something was, at all
	detectedAt time.Time // by the clock of now
	following  bool      // and nothing else: see Follow
	frame      *Frame    // between Look and Tell
	tally      Tally

	// reused from frame to frame
	tracker Tracker
	faces   []Face
	tracks  []*track // of faces
	dues    []int    // of faces, those to classify
	crops   []Crop
	scores  []Scores
	probs   []float32
	labels  []Label
	patch   patch
	patches resampler
}

// Tally counts what an Analyzer has done.
type Tally struct{ Frames, Detected, Faces, Classified uint64 }

// NewAnalyzer starts with no face known.
func NewAnalyzer(how Analysis) *Analyzer {
	return &Analyzer{how: how, sampler: NewSampler(how.Model.Input), labels: []Label{}}
}

// Use goes on with another classifier: faces keep their ids, and each is labelled anew, at once. With the
// model that is in use it does nothing.
func (a *Analyzer) Use(how Analysis) {
	if how.Model.Name == a.how.Model.Name {
		return
	}
	a.how, a.sampler, a.crops = how, NewSampler(how.Model.Input), nil
	a.tracker.forgetScores()
}

// Tally says what was done so far.
func (a *Analyzer) Tally() Tally { return a.tally }

// Analyze is Look and Tell.
func (a *Analyzer) Analyze(ctx context.Context, m *Message, f *Frame) error {
	if err := a.Look(ctx, m, f); err != nil {
		return err
	}
	return a.Tell(ctx, m)
}

// Look finds the faces of f and cuts out those that are to be classified. It fills in what m says of the frame.
// Tracking and smoothing go by f.Taken or, where that is not known, f.Arrived; their
// clock stands still for frames that a decoder gives back out of order (H264 with B-frames).
func (a *Analyzer) Look(ctx context.Context, m *Message, f *Frame) error {
	a.begin(m, f)
	began := time.Now()
	if err := a.follow(func() error { return a.detect(ctx, f) }, f); err != nil {
		return fmt.Errorf("detect: %w", err)
	}
	m.MS.Detect = milliseconds(time.Since(began))
	a.tally.Frames++
	a.tally.Faces += uint64(len(a.faces))
	a.cut(f)
	return nil
}

// begin goes on to f.
func (a *Analyzer) begin(m *Message, f *Frame) {
	m.RTP, m.Model, m.Width, m.Height = f.RTP, a.how.Model.Name, f.Width, f.Height
	m.MS = Timing{Decode: milliseconds(f.Decode)}
	a.frame = f
	taken := f.Taken
	if taken.IsZero() {
		taken = f.Arrived
	}
	if taken.After(a.now) {
		a.now = taken
	}
}

func (a *Analyzer) detect(ctx context.Context, f *Frame) (err error) {
	if a.faces, err = a.how.Detector.Detect(ctx, a.faces[:0], f); err != nil {
		return err
	}
	a.tally.Detected++
	least := float32(a.how.MinFace) * float32(max(f.Width, f.Height))
	wanted := a.faces[:0]
	for i, face := range a.faces {
		if max(face.Box.W*float32(f.Width), face.Box.H*float32(f.Height)) < least || len(wanted) == a.how.MaxFaces {
			continue
		}
		n := len(wanted)
		a.faces[n], a.faces[i] = face, a.faces[n] // a swap, so that each slot keeps key points of its own
		wanted = a.faces[:n+1]
	}
	a.faces = wanted
	return nil
}

// cut takes the crops of the faces that are due. What is shown of the others goes on.
func (a *Analyzer) cut(f *Frame) {
	a.dues = a.dues[:0]
	for i, k := range a.tracks {
		k.smoother.hold(a.how.Smoothing, a.now)
		if !a.due(k) {
			k.smoother.choose(a.how.Smoothing, a.how.Model.Uncertain)
			continue
		}
		n := len(a.dues)
		a.dues = append(a.dues, i)
		if n == len(a.crops) {
			a.crops = append(a.crops, a.how.Model.Input.NewCrop())
		}
		a.sampler.Crop(a.crops[n], f, a.how.Model.Crop.Region(a.faces[i].Box, f))
		a.rate(k, f)
	}
}

// Tell classifies the faces that Look cut out, which need not be in the same turn, and says in m.Faces what is
// seen: valid until the next call. The frame of Look must still be there.
func (a *Analyzer) Tell(ctx context.Context, m *Message) error {
	began := time.Now()
	if len(a.dues) > 0 {
		var err error
		a.scores, err = a.classifier().Classify(ctx, a.scores[:0], a.crops[:len(a.dues)])
		if err != nil {
			return fmt.Errorf("classify: %w", err)
		}
		a.tally.Classified += uint64(len(a.dues))
		for n, i := range a.dues {
			k := a.tracks[i]
			a.probs = Softmax(a.probs[:0], a.scores[n].Logits, a.how.Model.Temperature)
			k.smoother.add(a.probs, a.how.Smoothing, a.how.Model.Uncertain, a.now)
			k.attention.copyFrom(&a.scores[n].Attention)
		}
	}
	m.MS.Classify = milliseconds(time.Since(began))
	m.Faces = a.label()
	return nil
}

func (a *Analyzer) classifier() Classifier {
	if a.Crowded && a.how.Hurried != nil {
		return a.how.Hurried
	}
	return a.how.Classifier
}

func (a *Analyzer) label() []Label {
	a.labels = a.labels[:0]
	age := time.Since(a.frame.Arrived)
	for i, face := range a.faces {
		k := a.tracks[i]
		a.labels = append(a.labels, Label{
			ID:         k.id,
			Box:        [4]float32{face.Box.X, face.Box.Y, face.Box.W, face.Box.H},
			Score:      face.Score,
			Label:      a.how.Model.Labels[k.smoother.shown],
			Confidence: k.smoother.confidence(),
			AgeMS:      milliseconds(age + a.now.Sub(k.look.scoredAt)),
			Scores:     k.smoother.probs,
			Uncertain:  k.smoother.uncertain,
		})
		if a.Attention {
			a.labels[i].Attention = viewAttention(k.attention, a.how.Model.Crop.Region(face.Box, a.frame), a.frame)
		}
	}
	return a.labels
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
