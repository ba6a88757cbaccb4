package ort

import (
	"errors"
	"fmt"
	"math"

	"mindflow/pipeline"

	ort "github.com/yalue/onnxruntime_go"
)

// classifierOutputs says how to decode a classifier's outputs.
type classifierOutputs struct {
	tensors       []expectedTensor // all outputs of the entry, in its order
	scores        string           // name of the tensor of scores
	classes       int64
	probabilities bool    // the scores are probabilities, else logits
	attention     string  // name of the tensor of attention maps; optional
	maps          []int64 // shape of the maps: heads, height, width
}

// newClassifierOutputs reads the entry of a classifier that takes this number of crops.
func newClassifierOutputs(m pipeline.Model, batch int64) (c classifierOutputs, err error) {
	c.classes = int64(len(m.Labels))
	for i, o := range m.Outputs {
		e := expectedTensor{field: fmt.Sprintf("outputs[%d]", i), name: o.Name}
		switch o.Kind {
		case pipeline.Logits, pipeline.Probabilities:
			if c.scores != "" {
				return c, fmt.Errorf("%s.kind: a classifier has one output of logits or probabilities", e.field)
			}
			c.scores, c.probabilities = o.Name, o.Kind == pipeline.Probabilities
			e.shape, e.from = []int64{batch, c.classes}, "labels"
		case pipeline.AttentionMaps:
			if c.attention != "" {
				return c, fmt.Errorf("%s.kind: a classifier has one output of attention", e.field)
			}
			c.attention = o.Name
		}
		c.tensors = append(c.tensors, e)
	}
	if c.scores == "" {
		return c, errors.New("outputs: none has kind logits or probabilities")
	}
	return c, nil
}

// batchOf returns the size of the file's batch axis and the largest batch: free and wanted, or one where the file was
// exported for one.
func batchOf(input string, in []ort.InputOutputInfo, wanted int) (batch int64, maxBatch int) {
	for _, i := range in {
		if i.Name == input && len(i.Dimensions) > 0 && i.Dimensions[0] == 1 {
			return 1, 1
		}
	}
	return free, wanted
}

// measureAttention sets the size of the maps, which DAN's file leaves free: they have a 32nd of the input's side.
func (c *classifierOutputs) measureAttention(m pipeline.Model, out []ort.InputOutputInfo) error {
	if c.attention == "" {
		return nil
	}
	field := ""
	for i, o := range m.Outputs {
		if o.Kind == pipeline.AttentionMaps {
			field = fmt.Sprintf("outputs[%d]", i)
		}
	}
	for _, o := range out {
		if o.Name != c.attention {
			continue
		}
		if len(o.Dimensions) != 4 {
			return fmt.Errorf("%s: attention %q has shape %v, want [n, heads, height, width]; take it out of the entry",
				field, o.Name, o.Dimensions)
		}
		c.maps = append([]int64{}, o.Dimensions[1:]...)
	}
	if m.Decoder == "dan" {
		side := int64(m.Input.Size+31) / 32
		for i := 1; i < len(c.maps); i++ {
			if c.maps[i] == free {
				c.maps[i] = side
			}
		}
	}
	values := int64(1)
	for _, n := range c.maps {
		if n < 1 || n > pipeline.MaxAttention {
			return fmt.Errorf("%s: attention has maps of size %v by the file, want known sizes up to %d; "+
				"take it out of the entry", field, c.maps, pipeline.MaxAttention)
		}
		values *= n
	}
	if values > pipeline.MaxAttention {
		return fmt.Errorf("%s: attention has %d values a face, more than %d; take it out of the entry",
			field, values, pipeline.MaxAttention)
	}
	return nil
}

// names returns the names of the outputs to compute: the scores, then the attention.
func (c *classifierOutputs) names() []string {
	if c.attention == "" {
		return []string{c.scores}
	}
	return []string{c.scores, c.attention}
}

// shapes returns the shapes of these outputs for one crop.
func (c *classifierOutputs) shapes() [][]int64 {
	if c.attention == "" {
		return [][]int64{{c.classes}}
	}
	return [][]int64{{c.classes}, c.maps}
}

// leastProbability replaces zero, so that the logarithm is finite.
const leastProbability = 1e-12

// appendScores appends the scores of one crop, which out holds.
func (c *classifierOutputs) appendScores(dst []pipeline.Scores, out row) []pipeline.Scores {
	if len(dst) == cap(dst) {
		dst = append(dst, pipeline.Scores{})
	} else {
		dst = dst[:len(dst)+1]
	}
	s := &dst[len(dst)-1]
	s.Logits = append(s.Logits[:0], out.output(0)...)
	if c.probabilities { // they are the softmax of their logarithms
		for k, p := range s.Logits {
			s.Logits[k] = float32(math.Log(max(float64(p), leastProbability)))
		}
	}
	s.Attention.Values = s.Attention.Values[:0]
	if c.attention != "" {
		a := &s.Attention
		a.Heads, a.Height, a.Width = int(c.maps[0]), int(c.maps[1]), int(c.maps[2])
		a.Values = append(a.Values, out.output(1)...)
	}
	return dst
}
