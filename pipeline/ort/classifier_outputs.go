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
	width         int64            // of a row of that tensor
	slice         [2]int           // of the row: the scores
	probabilities bool             // the scores are probabilities, else logits
	attention     string           // name of the tensor of attention maps; optional
	maps          []int64          // shape of the maps: heads, height, width
}

// newClassifierOutputs reads the entry of a classifier that takes this number of crops.
func newClassifierOutputs(
	m pipeline.Model, batch int64, out []ort.InputOutputInfo,
) (c classifierOutputs, err error) {
	c.width, c.slice = int64(len(m.Labels)), [2]int{0, len(m.Labels)}
	for i, o := range m.Outputs {
		e := expectedTensor{field: fmt.Sprintf("outputs[%d]", i), name: o.Name}
		switch o.Kind {
		case pipeline.Logits, pipeline.Probabilities:
			if c.scores != "" {
				return c, fmt.Errorf("%s.kind: a classifier has one output of logits or probabilities", e.field)
			}
			c.scores, c.probabilities = o.Name, o.Kind == pipeline.Probabilities
			if o.Slice != nil {
				if err := c.cut(*o.Slice, o.Name, out); err != nil {
					return c, fmt.Errorf("%s.slice: %w", e.field, err)
				}
			}
			e.shape, e.from = []int64{batch, c.width}, "labels"
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

// cut takes the scores from a part of the rows of the named output, which are as long as the file says.
func (c *classifierOutputs) cut(slice [2]int, name string, out []ort.InputOutputInfo) error {
	for _, o := range out {
		if o.Name != name {
			continue
		}
		if len(o.Dimensions) != 2 || o.Dimensions[1] == free {
			return fmt.Errorf("%q has shape %v in the file, want rows of a known length", name, o.Dimensions)
		}
		c.width = o.Dimensions[1]
	}
	if slice[1]-slice[0] != int(c.slice[1]) || slice[0] < 0 || int64(slice[1]) > c.width {
		return fmt.Errorf("%v is not %d values, one for each label, of a row of %d", slice, c.slice[1], c.width)
	}
	c.slice = slice
	return nil
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
		return [][]int64{{c.width}}
	}
	return [][]int64{{c.width}, c.maps}
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
	s.Logits = append(s.Logits[:0], out.output(0)[c.slice[0]:c.slice[1]]...)
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
