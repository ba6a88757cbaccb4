package pipeline

import (
	"context"
	"fmt"
	"time"
)

// Analysis configures how frames are analysed. All sessions share it.
type Analysis struct {
	Detector       Detector
	Classifier     Classifier
	FastClassifier Classifier    // replaces Classifier under overload: faster, with nearly the same scores. Optional
	Model          Model         // of the classifier
	Smoothing      time.Duration // time constant of the scores' low-pass filter; zero means no smoothing
	MaxFaces       int           // faces in a frame at most, best detections first
	MinFace        float64       // longer side of the smallest face, in the frame's longer side; zero means any
	Policy         AnalysisPolicy
}

// Analyzer detects, tracks and classifies the faces of one stream. One goroutine owns it.
type Analyzer struct {
	// WithAttention has labels include the classifier's attention maps, for models that have them.
	WithAttention bool
	// Overloaded has Classify use Analysis.FastClassifier.
	Overloaded bool

	// changed by Use
	analysis Analysis
	sampler  *Sampler

	// of the latest frame
	now        time.Time
	detected   bool      // the detector has run
	detectedAt time.Time // when, by the clock of now
	frame      *Frame    // from Detect to Classify
	counts     Counts

	// reused from frame to frame
	tracker Tracker
	faces   []Face
	tracks  []*track // of faces
	due     []int    // indices of the faces to classify
	crops   []Crop   // of due
	scores  []Scores
	probs   []float32
	labels  []Label
	patch   patch
	patches resampler
}

// Counts is the number of frames analysed, frames in which the detector ran, faces, and faces classified.
type Counts struct{ Frames, Detected, Faces, Classified uint64 }

// NewAnalyzer returns an analyzer that knows no face yet.
func NewAnalyzer(analysis Analysis) *Analyzer {
	return &Analyzer{analysis: analysis, sampler: NewSampler(analysis.Model.Input), labels: []Label{}}
}

// Use goes on with another classifier: faces keep their ids, and each is classified anew, at once. It does nothing
// where the model is in use already.
func (a *Analyzer) Use(analysis Analysis) {
	if analysis.Model.Name == a.analysis.Model.Name {
		return
	}
	a.analysis, a.sampler, a.crops = analysis, NewSampler(analysis.Model.Input), nil
	a.tracker.forgetScores()
}

// Counts returns what was done so far.
func (a *Analyzer) Counts() Counts { return a.counts }

// Analyze is Detect, then Classify.
func (a *Analyzer) Analyze(ctx context.Context, m *Message, f *Frame) error {
	if err := a.Detect(ctx, m, f); err != nil {
		return err
	}
	return a.Classify(ctx, m)
}

// Detect finds the faces of f, by detection or following, and crops those that are to be classified. It fills in
// m's fields about the frame. Tracking and smoothing use f.Taken or, where it is zero, f.Arrived; their clock stands
// still for frames that a decoder returns out of order (H264 with B-frames).
func (a *Analyzer) Detect(ctx context.Context, m *Message, f *Frame) error {
	a.startFrame(m, f)
	began := time.Now()
	if err := a.findFaces(ctx, f); err != nil {
		return fmt.Errorf("detect: %w", err)
	}
	m.MS.Detect = milliseconds(time.Since(began))
	a.counts.Frames++
	a.counts.Faces += uint64(len(a.faces))
	a.cropDue(f)
	return nil
}

// startFrame makes f the latest frame.
func (a *Analyzer) startFrame(m *Message, f *Frame) {
	m.RTP, m.Model, m.Width, m.Height = f.RTP, a.analysis.Model.Name, f.Width, f.Height
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

// runDetector sets the faces to those that the detector finds, without those that are too small or too many.
func (a *Analyzer) runDetector(ctx context.Context, f *Frame) (err error) {
	if a.faces, err = a.analysis.Detector.Detect(ctx, a.faces[:0], f); err != nil {
		return err
	}
	a.counts.Detected++
	least := float32(a.analysis.MinFace) * float32(max(f.Width, f.Height))
	kept := a.faces[:0]
	for i, face := range a.faces {
		longer := max(face.Box.W*float32(f.Width), face.Box.H*float32(f.Height))
		if longer < least || len(kept) == a.analysis.MaxFaces {
			continue
		}
		n := len(kept)
		a.faces[n], a.faces[i] = face, a.faces[n] // a swap, so that each element keeps its own memory of key points
		kept = a.faces[:n+1]
	}
	a.faces = kept
	return nil
}

// cropDue crops the faces that are to be classified. The shown scores of the others are advanced in time.
func (a *Analyzer) cropDue(f *Frame) {
	a.due = a.due[:0]
	for i, k := range a.tracks {
		k.smoother.advance(a.analysis.Smoothing, a.now)
		if !a.isDue(k) {
			k.smoother.decide(a.analysis.Smoothing, a.analysis.Model.Uncertain)
			continue
		}
		n := len(a.due)
		a.due = append(a.due, i)
		if n == len(a.crops) {
			a.crops = append(a.crops, a.analysis.Model.Input.NewCrop())
		}
		a.sampler.Crop(a.crops[n], f, a.analysis.Model.Crop.Region(a.faces[i].Box, f))
		a.markClassified(k, f)
	}
}

// Classify classifies the faces that Detect cropped, and sets m.Faces, which is valid until the next call. It does not
// need the slot in which Detect ran, but the frame of Detect must still be valid.
func (a *Analyzer) Classify(ctx context.Context, m *Message) error {
	began := time.Now()
	if len(a.due) > 0 {
		var err error
		a.scores, err = a.classifier().Classify(ctx, a.scores[:0], a.crops[:len(a.due)])
		if err != nil {
			return fmt.Errorf("classify: %w", err)
		}
		a.counts.Classified += uint64(len(a.due))
		for n, i := range a.due {
			k := a.tracks[i]
			a.probs = Softmax(a.probs[:0], a.scores[n].Logits, a.analysis.Model.Temperature)
			k.smoother.add(a.probs, a.analysis.Smoothing, a.analysis.Model.Uncertain, a.now)
			k.attention.copyFrom(&a.scores[n].Attention)
		}
	}
	m.MS.Classify = milliseconds(time.Since(began))
	m.Faces = a.makeLabels()
	return nil
}

// classifier returns the classifier that suits the load.
func (a *Analyzer) classifier() Classifier {
	if a.Overloaded && a.analysis.FastClassifier != nil {
		return a.analysis.FastClassifier
	}
	return a.analysis.Classifier
}

func (a *Analyzer) makeLabels() []Label {
	a.labels = a.labels[:0]
	age := time.Since(a.frame.Arrived)
	for i, face := range a.faces {
		k := a.tracks[i]
		a.labels = append(a.labels, Label{
			ID:         k.id,
			Box:        [4]float32{face.Box.X, face.Box.Y, face.Box.W, face.Box.H},
			Score:      face.Score,
			Label:      a.analysis.Model.Labels[k.smoother.shown],
			Confidence: k.smoother.confidence(),
			AgeMS:      milliseconds(age + a.now.Sub(k.appearance.classifiedAt)),
			Scores:     k.smoother.probs,
			Uncertain:  k.smoother.uncertain,
		})
		if a.WithAttention {
			a.labels[i].Attention = viewAttention(k.attention, a.analysis.Model.Crop.Region(face.Box, a.frame), a.frame)
		}
	}
	return a.labels
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
