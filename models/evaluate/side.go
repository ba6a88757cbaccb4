package evaluate

import (
	"context"
	"fmt"
	"slices"

	"mindflow/models/evaluate/dataset"
	"mindflow/pipeline"
)

// side is one of the models that are compared.
type side struct {
	classifier pipeline.Classifier
	model      pipeline.Model
	sampler    *pipeline.Sampler
	places     []int // of the model's labels in the classes that are compared; -1 for those left out
	confusion  *Confusion

	// reused from batch to batch
	crops  []pipeline.Crop
	scores []pipeline.Scores
	logits []float32 // of the classes that are compared, in their order
	probs  []float32
	said   []int // classes of the latest batch
}

// newSide chooses among the classes only, whatever else the model knows.
func newSide(c pipeline.Classifier, m pipeline.Model, classes []string) *side {
	return &side{classifier: c, model: m, sampler: pipeline.NewSampler(m.Input), confusion: NewConfusion(classes),
		places: places(m.Labels, classes), logits: make([]float32, len(classes))}
}

// places finds each label among classes, by its own name or by another for the same expression; -1 says that it is
// none of them.
func places(labels, classes []string) []int {
	list := make([]int, len(labels))
	for i, label := range labels {
		list[i] = slices.Index(classes, label)
	}
	for i, label := range labels {
		if list[i] >= 0 {
			continue
		}
		if k := slices.Index(classes, dataset.ClassOf(label, classes)); !slices.Contains(list, k) {
			list[i] = k
		}
	}
	return list
}

// common gives the classes of a, in its order, that b has too, and those that only one of them has.
func common(a, b []string) (both, rest []string) {
	found := places(b, a)
	for i, label := range a {
		if slices.Contains(found, i) {
			both = append(both, label)
		} else {
			rest = append(rest, label)
		}
	}
	for i, label := range b {
		if found[i] < 0 {
			rest = append(rest, label)
		}
	}
	return both, rest
}

// sample makes the region of f the crop at index i.
func (s *side) sample(i int, f *pipeline.Frame, r pipeline.Region) {
	if i == len(s.crops) {
		s.crops = append(s.crops, s.model.Input.NewCrop())
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
		for k, place := range s.places {
			if place >= 0 {
				s.logits[place] = s.scores[i].Logits[k]
			}
		}
		s.probs = pipeline.Softmax(s.probs[:0], s.logits, s.model.Temperature)
		s.said = append(s.said, s.confusion.Add(truth, s.probs))
	}
	return nil
}
