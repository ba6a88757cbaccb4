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
	Model      Model         // of the classifier
	Smoothing  time.Duration // time constant of the scores' running mean; 0 is none
	MaxFaces   int           // at most so many a frame, best detections first
}

// Analyzer finds, follows and labels the faces of one stream. It is owned by one goroutine.
type Analyzer struct {
	// Attention says whether labels tell where the classifier looks, for models that know.
	Attention bool

	// changed by Use
	how     Analysis
	sampler *Sampler

	// reused from frame to frame
	now     time.Time // of the latest frame
	tracker Tracker
	faces   []Face
	tracks  []*track
	crops   []Crop
	scores  []Scores
	probs   []float32
	labels  []Label
}

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

// Analyze fills m with what is seen in f: RTP, Model, Width, Height, MS but its Total, and Faces, which are
// valid until the next call. Tracking and smoothing go by f.Taken or, where that is not known, f.Arrived; their
// clock stands still for frames that a decoder gives back out of order (H264 with B-frames).
func (a *Analyzer) Analyze(ctx context.Context, m *Message, f *Frame) error {
	m.RTP, m.Model, m.Width, m.Height = f.RTP, a.how.Model.Name, f.Width, f.Height
	m.MS = Timing{Decode: milliseconds(f.Decode)}
	taken := f.Taken
	if taken.IsZero() {
		taken = f.Arrived
	}
	if taken.After(a.now) {
		a.now = taken
	}
	began := time.Now()
	var err error
	if a.faces, err = a.how.Detector.Detect(ctx, a.faces[:0], f); err != nil {
		return fmt.Errorf("detect: %w", err)
	}
	if len(a.faces) > a.how.MaxFaces {
		a.faces = a.faces[:a.how.MaxFaces]
	}
	aspect := float64(f.Width) / float64(f.Height)
	a.tracks = a.tracker.update(a.tracks[:0], a.faces, aspect, a.now)
	m.MS.Detect = milliseconds(time.Since(began))

	began = time.Now()
	if err := a.classify(ctx, f); err != nil {
		return fmt.Errorf("classify: %w", err)
	}
	m.MS.Classify = milliseconds(time.Since(began))
	m.Faces = a.label(f.Arrived)
	if a.Attention {
		for i := range m.Faces {
			m.Faces[i].Attention = viewAttention(a.scores[i].Attention, a.how.Model.Crop.Region(a.faces[i].Box, f), f)
		}
	}
	return nil
}

func (a *Analyzer) classify(ctx context.Context, f *Frame) error {
	for len(a.crops) < len(a.faces) {
		a.crops = append(a.crops, make(Crop, a.how.Model.Input.Len()))
	}
	crops := a.crops[:len(a.faces)]
	for i := range crops {
		a.sampler.Crop(crops[i], f, a.how.Model.Crop.Region(a.faces[i].Box, f))
	}
	a.scores = a.scores[:0]
	if len(crops) == 0 {
		return nil
	}
	var err error
	a.scores, err = a.how.Classifier.Classify(ctx, a.scores, crops)
	return err
}

func (a *Analyzer) label(arrived time.Time) []Label {
	a.labels = a.labels[:0]
	for i, face := range a.faces {
		k := a.tracks[i]
		a.probs = Softmax(a.probs[:0], a.scores[i].Logits, a.how.Model.Temperature)
		k.smoother.add(a.probs, a.how.Smoothing, a.how.Model.Uncertain, a.now)
		a.labels = append(a.labels, Label{
			ID:         k.id,
			Box:        [4]float32{face.Box.X, face.Box.Y, face.Box.W, face.Box.H},
			Score:      face.Score,
			Label:      a.how.Model.Labels[k.smoother.shown],
			Confidence: k.smoother.confidence(),
			AgeMS:      milliseconds(time.Since(arrived)),
			Scores:     k.smoother.probs,
			Uncertain:  k.smoother.uncertain,
		})
	}
	return a.labels
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
