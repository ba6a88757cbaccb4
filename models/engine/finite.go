package engine

import (
	"context"
	"fmt"

	"mindflow/pipeline"
	"mindflow/pipeline/field"
)

// checkFinite checks that a classifier in half precision gives finite scores for a picture of black and white dots,
// which drives its sums high. The shipped weights stay three thousand times under the largest number; those of users
// may not.
func (p profile) checkFinite(ctx context.Context, a pipeline.Analysis) error {
	if !p.half {
		return nil
	}
	scores, err := a.Classifier.Classify(ctx, nil, []pipeline.Crop{dots(a.Model.Input)})
	if err != nil {
		return fmt.Errorf("warm up the classifier %s: %w", a.Model.Name, err)
	}
	for _, v := range scores[0].Logits {
		if v-v != 0 {
			return field.Errorf("Precision",
				"model %s gives no numbers in half precision, whose largest is 65504; use fp32", a.Model.Name)
		}
	}
	return nil
}

// dots returns a picture of black and white pixels by a random number generator, the same each time.
func dots(in pipeline.Input) pipeline.Crop {
	c, state := in.NewCrop(), uint32(1)
	white := func() bool {
		state = state*1664525 + 1013904223
		return state>>31 == 1
	}
	for i := range c.Bytes {
		if white() {
			c.Bytes[i] = 255
		}
	}
	for i := range c.Values { // the channel of a value does not matter here
		v := float32(0)
		if white() {
			v = 255
		}
		c.Values[i] = (v*in.Scale - in.Mean[0]) / in.Std[0]
	}
	return c
}
