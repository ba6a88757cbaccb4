package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
)

// Box is a rectangle in fractions of the frame as sent: x and y of the top left corner, width, height.
type Box struct{ X, Y, W, H float32 }

// Point is a position in fractions of the frame as sent.
type Point struct{ X, Y float32 }

// Face is one face that a detector found.
type Face struct {
	Box    Box
	Score  float32 // 0..1
	Points []Point // key points in the detector's order, eyes first; optional
}

// Detector finds faces. It is safe for use by several goroutines.
type Detector interface {
	// Detect appends the faces of f to dst, best score first.
	Detect(ctx context.Context, dst []Face, f *Frame) ([]Face, error)
}

// DetectorCloser is a detector that holds memory until Close.
type DetectorCloser interface {
	Detector
	Close() error
}

// Crop is one picture, such as a face, as a network's input: a tensor without the batch axis, of Input.Len() values.
// Make it with Input.NewCrop.
type Crop struct {
	Values []float32 // normalised, in the network's layout
	Bytes  []byte    // instead where Input.Bytes is set: 0..255, not normalised, row by row, channels innermost
}

// Scores is a classifier's output for one crop, before temperature and softmax.
type Scores struct {
	Logits    []float32 // one for each class, in the order of the model's labels
	Attention Attention // empty where the model has none
}

// CopyFrom makes s a copy of o in s's own memory, which is reused when it is large enough.
func (s *Scores) CopyFrom(o *Scores) {
	s.Logits = append(s.Logits[:0], o.Logits...)
	s.Attention.copyFrom(&o.Attention)
}

// Attention holds a classifier's attention maps over the crop, one for each head, row by row. The values are the
// network's, not normalised, and cannot be compared between heads.
type Attention struct {
	Heads, Height, Width int
	Values               []float32 // Heads·Height·Width
}

func (a *Attention) copyFrom(o *Attention) {
	values := append(a.Values[:0], o.Values...)
	*a = *o
	a.Values = values
}

// Classifier scores crops. It is safe for use by several goroutines.
type Classifier interface {
	// Classify scores crops in one batch and appends one Scores for each to dst.
	Classify(ctx context.Context, dst []Scores, crops []Crop) ([]Scores, error)
}

// Colour orders of a network's input.
const (
	RGB  = "rgb"
	BGR  = "bgr"
	Grey = "grey" // luma in every channel
)

// Filters for shrinking pictures. Enlarging is bilinear with either.
const (
	Area     = "area"     // the mean of the area under an output; the default
	Triangle = "triangle" // weights fall to zero at the centres of the neighbouring outputs
)

// Tensor layouts.
const (
	NCHW = "nchw"
	NHWC = "nhwc"
)

// Input describes how a picture becomes a network's tensor: resampled to Size by Size, each value v of 0..255 mapped to
// (v·Scale − Mean) / Std, per channel.
type Input struct {
	Name     string     `json:"name"`
	Size     int        `json:"size"`
	Dynamic  bool       `json:"dynamic,omitempty"` // any size: that of the frame, its longer side at most Size
	Layout   string     `json:"layout"`
	Colour   string     `json:"colour"`
	Channels int        `json:"channels"`
	Scale    float32    `json:"scale"`
	Mean     PerChannel `json:"mean"`
	Std      PerChannel `json:"std"`
	Filter   string     `json:"filter,omitempty"` // how pictures are shrunk: area, or triangle like PIL's bilinear

	// Bytes is set where the network was rewritten, when it was loaded, to take the picture's bytes and to normalise
	// them in its graph. A file takes floats.
	Bytes bool `json:"-"`
}

// PerChannel is a number for each of red, green and blue, or three times the number for grey.
type PerChannel [3]float32

// UnmarshalJSON decodes a list of three numbers. A plain array would take any length without an error.
func (p *PerChannel) UnmarshalJSON(text []byte) error {
	var list []float32
	if err := json.Unmarshal(text, &list); err != nil {
		return err
	}
	if len(list) != len(p) {
		return fmt.Errorf("%s has %d numbers; input.mean and input.std want three, for red, green and blue; "+
			"for grey write the one three times", text, len(list))
	}
	copy(p[:], list)
	return nil
}

// CropChannels returns the number of channels in a crop. Bytes hold grey once.
func (in Input) CropChannels() int {
	if in.Bytes && in.Colour == Grey {
		return 1
	}
	return in.Channels
}

// Len returns the number of values of a crop: channels × size × size.
func (in Input) Len() int { return in.CropChannels() * in.Size * in.Size }

// NewCrop allocates a crop.
func (in Input) NewCrop() Crop {
	if in.Bytes {
		return Crop{Bytes: make([]byte, in.Len())}
	}
	return Crop{Values: make([]float32, in.Len())}
}

// Len returns the number of values.
func (c Crop) Len() int { return len(c.Values) + len(c.Bytes) }

// CropRule describes the square around a detector's box that a classifier gets.
type CropRule struct {
	Scale    float32    `json:"scale"`               // side, in the box's longer side in pixels
	Shift    [2]float32 `json:"shift"`               // of the centre, in sides of that square, to the right and down
	MarginPx float32    `json:"margin_px,omitempty"` // instead: the box grown by this and clipped to the frame
}

// CascadeRule configures a cascade of Haar features (OpenCV's detectMultiScale).
type CascadeRule struct {
	Scale      float64 `json:"scale"`      // factor by which the window grows from pass to pass, over 1
	Neighbours int     `json:"neighbours"` // smallest number of overlapping detections that make a face
	MinPx      int     `json:"min_px"`     // smallest side of a face
}

// Kinds of output of a classifier.
const (
	Logits        = "logits"        // one for each class, before softmax
	Probabilities = "probabilities" // one for each class, after softmax
	AttentionMaps = "attention"     // [n, heads, height, width], see Attention
)

// Output names one output tensor and its kind: scores, objectness, boxes or points of a detector, or one of the
// classifiers' kinds above.
type Output struct {
	Name string `json:"name"`
	Kind string `json:"kind"`

	// Slice is the first of a row's values that are logits or probabilities, and the first after them, where a network
	// gives more numbers than classes, such as valence and arousal. Nil means all.
	Slice *[2]int `json:"slice,omitempty"`
}

// Model describes a network's input and outputs. The manifest in models/ stores it.
type Model struct {
	Name        string       `json:"name"`
	Decoder     string       `json:"decoder"` // how outputs are decoded: blazeface, dan, …
	Input       Input        `json:"input"`
	Crop        *CropRule    `json:"crop,omitempty"`
	Outputs     []Output     `json:"outputs,omitempty"`
	Cascade     *CascadeRule `json:"cascade,omitempty"` // detectors: instead of input and outputs
	Labels      []string     `json:"labels,omitempty"`
	Threshold   float32      `json:"threshold,omitempty"`   // detectors: smallest score kept
	NMS         float32      `json:"nms,omitempty"`         // detectors: IoU over which the weaker box is dropped
	Temperature float32      `json:"temperature,omitempty"` // classifiers: logits are divided by it
	Uncertain   float32      `json:"uncertain,omitempty"`   // classifiers: a confidence below it is shown as uncertain
}

// ForMinFace returns the model for faces of at least this fraction of the frame's longer side. A dynamic detector then
// gets pictures that are as small as such faces allow. Others take one size.
func (m Model) ForMinFace(least float64) Model {
	const pixels = 48 // side of the smallest face in the tensor
	if m.Input.Dynamic && least > 0 {
		steps := math.Ceil(pixels / least / dynamicStep)
		m.Input.Size = min(m.Input.Size, int(steps)*dynamicStep)
	}
	return m
}

// HasAttention reports whether the classifier has attention maps.
func (m Model) HasAttention() bool {
	return slices.ContainsFunc(m.Outputs, func(o Output) bool { return o.Kind == AttentionMaps })
}
