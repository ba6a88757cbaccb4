package evaluate

import (
	"context"
	"fmt"
	"slices"

	"mindflow/models/metrics"
	"mindflow/pipeline"
)

// side is one of the models that are compared.
type side struct {
	classifier pipeline.Classifier
	model      pipeline.Model
	sampler    *pipeline.Sampler
	places     []int // of the model's labels in those of the set
	tally      *metrics.Tally

	// reused from batch to batch
	crops  []pipeline.Crop
	scores []pipeline.Scores
	probs  []float32
	sorted []float32 // probs in the order of the set's labels
	said   []int     // classes of the latest batch
}

// newSide fails where the model's labels are not those of the set, in whatever order.
func newSide(c pipeline.Classifier, m pipeline.Model, labels []string) (*side, error) {
	s := &side{classifier: c, model: m, sampler: pipeline.NewSampler(m.Input), tally: metrics.NewTally(labels), sorted: make([]float32, len(labels))}
	for _, label := range m.Labels {
		s.places = append(s.places, slices.Index(labels, label))
	}
	if len(m.Labels) != len(labels) || slices.Contains(s.places, -1) {
		return nil, fmt.Errorf("--vs %s: its classes are %q, the other model's %q; name one with the same", m.Name, m.Labels, labels)
	}
	return s, nil
}

// sample makes the region of f the crop at index i.
func (s *side) sample(i int, f *pipeline.Frame, r pipeline.Region) {
	if i == len(s.crops) {
		s.crops = append(s.crops, make(pipeline.Crop, s.model.Input.Len()))
	}
	s.sampler.Crop(s.crops[i], f, r)
}

// classify counts what the model says of the first crops, whose classes are truths.
func (s *side) classify(ctx context.Context, truths []int) (err error) {
	s.said = s.said[:0]
	if s.scores, err = s.classifier.Classify(ctx, s.scores[:0], s.crops[:len(truths)]); err != nil {
		return fmt.Errorf("classify: %w", err)
	}
	for i, truth := range truths {
		s.probs = pipeline.Softmax(s.probs[:0], s.scores[i].Logits, s.model.Temperature)
		for k, place := range s.places {
			s.sorted[place] = s.probs[k]
		}
		s.said = append(s.said, s.tally.Add(truth, s.sorted))
	}
	return nil
}
