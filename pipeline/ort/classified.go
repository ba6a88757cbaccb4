package ort

import (
	"errors"
	"fmt"
	"math"

	"mindflow/pipeline"

	ort "github.com/yalue/onnxruntime_go"
)

// classified says how a classifier's outputs are read.
type classified struct {
	expected      []expected // all that the entry names, in its order
	scores        string     // name of the tensor
	classes       int64
	probabilities bool   // the scores are; otherwise they are logits
	attention     string // "" without
	maps          []int64
}

// classifierOutputs reads them from the entry, for a number of crops.
func classifierOutputs(m pipeline.Model, batch int64) (c classified, err error) {
	c.classes = int64(len(m.Labels))
	for i, o := range m.Outputs {
		e := expected{field: fmt.Sprintf("outputs[%d]", i), name: o.Name}
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
		c.expected = append(c.expected, e)
	}
	if c.scores == "" {
		return c, errors.New("outputs: none has kind logits or probabilities")
	}
	return c, nil
}

// batchOf gives the number of crops that the file takes at once: free and the most that are given to it,
// or one where it was exported for one.
func batchOf(input string, in []ort.InputOutputInfo, wanted int) (batch int64, most int) {
	for _, i := range in {
		if i.Name == input && len(i.Dimensions) > 0 && i.Dimensions[0] == 1 {
			return 1, 1
		}
	}
	return free, wanted
}

// measureAttention finds the maps' size, which DAN's file leaves free: its features have a 32nd of the
// input's side.
func (c *classified) measureAttention(m pipeline.Model, out []ort.InputOutputInfo) error {
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
			return fmt.Errorf("%s: attention %q has shape %v, want [n, heads, height, width]; take it out of the entry", field, o.Name, o.Dimensions)
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
			return fmt.Errorf("%s: attention has maps of size %v by the file, want known sizes up to %d; take it out of the entry", field, c.maps, pipeline.MaxAttention)
		}
		values *= n
	}
	if values > pipeline.MaxAttention {
		return fmt.Errorf("%s: attention has %d values a face, more than %d; take it out of the entry", field, values, pipeline.MaxAttention)
	}
	return nil
}

// names are the outputs to ask for: the scores, then the attention.
func (c *classified) names() []string {
	if c.attention == "" {
		return []string{c.scores}
	}
	return []string{c.scores, c.attention}
}

// shapes are those of names for one crop.
func (c *classified) shapes() [][]int64 {
	if c.attention == "" {
		return [][]int64{{c.classes}}
	}
	return [][]int64{{c.classes}, c.maps}
}

// leastProbability stands for what is given as zero, so that its logarithm is finite.
const leastProbability = 1e-12

// appendScores appends what was said of one crop.
func (c *classified) appendScores(dst []pipeline.Scores, said row) []pipeline.Scores {
	if len(dst) == cap(dst) {
		dst = append(dst, pipeline.Scores{})
	} else {
		dst = dst[:len(dst)+1]
	}
	s := &dst[len(dst)-1]
	s.Logits = append(s.Logits[:0], said.output(0)...)
	if c.probabilities { // their logarithms have them as their softmax
		for k, p := range s.Logits {
			s.Logits[k] = float32(math.Log(max(float64(p), leastProbability)))
		}
	}
	s.Attention.Values = s.Attention.Values[:0]
	if c.attention != "" {
		a := &s.Attention
		a.Heads, a.Height, a.Width = int(c.maps[0]), int(c.maps[1]), int(c.maps[2])
		a.Values = append(a.Values, said.output(1)...)
	}
	return dst
}
