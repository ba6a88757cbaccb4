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
	indices    []int // index in classes of each of the model's labels; -1 if the label is left out
	confusion  *Confusion

	// reused from batch to batch
	crops     []pipeline.Crop
	scores    []pipeline.Scores
	logits    []float32 // of the classes that are compared, in their order
	probs     []float32
	predicted []int // answered classes of the latest batch
}

// newSide makes a side whose model may answer only with these classes.
func newSide(c pipeline.Classifier, m pipeline.Model, classes []string) *side {
	return &side{classifier: c, model: m, sampler: pipeline.NewSampler(m.Input), confusion: NewConfusion(classes),
		indices: indicesOf(m.Labels, classes), logits: make([]float32, len(classes))}
}

// indicesOf returns the index in classes of each label. A label matches by its name or by a synonym; -1 means that it
// matches no class.
func indicesOf(labels, classes []string) []int {
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

// common returns the classes that a and b have, in the order of a, and those that only one of them has.
func common(a, b []string) (both, rest []string) {
	found := indicesOf(b, a)
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

// sample resamples region r of f into crop i.
func (s *side) sample(i int, f *pipeline.Frame, r pipeline.Region) {
	if i == len(s.crops) {
		s.crops = append(s.crops, s.model.Input.NewCrop())
	}
	s.sampler.Crop(s.crops[i], f, r)
}

// classify counts the model's answers for the first crops; truths holds the classes of those crops.
func (s *side) classify(ctx context.Context, truths []int) (err error) {
	s.predicted = s.predicted[:0]
	if s.scores, err = s.classifier.Classify(ctx, s.scores[:0], s.crops[:len(truths)]); err != nil {
		return fmt.Errorf("classify: %w", err)
	}
	for i, truth := range truths {
		for k, index := range s.indices {
			if index >= 0 {
				s.logits[index] = s.scores[i].Logits[k]
			}
		}
		s.probs = pipeline.Softmax(s.probs[:0], s.logits, s.model.Temperature)
		s.predicted = append(s.predicted, s.confusion.Add(truth, s.probs))
	}
	return nil
}
