package pipeline

import (
	"context"
	"math"
	"slices"
)

// Box is a rectangle in fractions of the frame as sent: x and y of the top left corner, width, height.
type Box struct{ X, Y, W, H float32 }

// Point is a position in fractions of the frame as sent.
type Point struct{ X, Y float32 }

// Face is what a detector finds.
type Face struct {
	Box    Box
	Score  float32 // 0..1
	Points []Point // key points in the detector's own order: eyes first, where it has any
}

// Detector finds the faces of a frame and appends them to dst, best score first. Safe for use by
// several goroutines.
type Detector interface {
	Detect(ctx context.Context, dst []Face, f *Frame) ([]Face, error)
}

// Crop is one picture as a network's input, such as one face: its tensor without the batch axis, of Input.Len() values.
// Input.NewCrop makes one.
type Crop struct {
	Values []float32 // normalised, in the network's layout
	Bytes  []byte    // instead, where Input.Bytes is set: 0..255, not normalised, row by row with the channels innermost
}

// Scores is what a classifier says of one crop, before temperature and softmax.
type Scores struct {
	Logits    []float32 // one a class, in the order of the model's labels
	Attention Attention // empty for a model without
}

// CopyFrom makes s a copy of o in s's own memory, which is reused when it is large enough.
func (s *Scores) CopyFrom(o *Scores) {
	s.Logits = append(s.Logits[:0], o.Logits...)
	s.Attention.copyFrom(&o.Attention)
}

// Attention says where a classifier looks: for each of its heads a map over the crop, row by row. Values
// are the network's own, not normalised, and not comparable between heads.
type Attention struct {
	Heads, Height, Width int
	Values               []float32 // Heads·Height·Width
}

func (a *Attention) copyFrom(o *Attention) {
	values := append(a.Values[:0], o.Values...)
	*a = *o
	a.Values = values
}

// Classifier scores crops in one batch and appends to dst, one Scores a crop. Safe for use by
// several goroutines.
type Classifier interface {
	Classify(ctx context.Context, dst []Scores, crops []Crop) ([]Scores, error)
}

// Colour orders of a network's input.
const (
	RGB  = "rgb"
	BGR  = "bgr"
	Grey = "grey" // luma in every channel
)

// Filters of shrinking. Enlarging interpolates linearly with either.
const (
	Area     = "area"     // the mean of what lies under an output; the default
	Triangle = "triangle" // weights that fall to zero at the neighbouring outputs' centres
)

// Tensor layouts.
const (
	NCHW = "nchw"
	NHWC = "nhwc"
)

// Input says how a picture becomes a network's tensor: resampled to Size by Size, each value v of
// 0..255 to (v·Scale − Mean) / Std a channel.
type Input struct {
	Name     string     `json:"name"`
	Size     int        `json:"size"`
	Dynamic  bool       `json:"dynamic,omitempty"` // any size: the frame's own, its longer side at most Size
	Layout   string     `json:"layout"`
	Colour   string     `json:"colour"`
	Channels int        `json:"channels"`
	Scale    float32    `json:"scale"`
	Mean     [3]float32 `json:"mean"`
	Std      [3]float32 `json:"std"`
	Filter   string     `json:"filter,omitempty"` // how pictures are shrunk: area, or triangle as PIL's bilinear is

	// Bytes says that the network was rewritten to take the picture's bytes, and to spread and normalise them itself: a
	// file takes floats.
	Bytes bool `json:"-"`
}

// Stored is the number of channels in a crop: bytes hold grey once.
func (in Input) Stored() int {
	if in.Bytes && in.Colour == Grey {
		return 1
	}
	return in.Channels
}

// Len is the number of values of one tensor: channels × size × size.
func (in Input) Len() int { return in.Stored() * in.Size * in.Size }

// NewCrop makes memory for one picture.
func (in Input) NewCrop() Crop {
	if in.Bytes {
		return Crop{Bytes: make([]byte, in.Len())}
	}
	return Crop{Values: make([]float32, in.Len())}
}

// Len is the number of values.
func (c Crop) Len() int { return len(c.Values) + len(c.Bytes) }

// CropRule says which square around a detector's box is a face for a classifier.
type CropRule struct {
	Scale    float32    `json:"scale"`               // side, in the box's longer side in pixels
	Shift    [2]float32 `json:"shift"`               // of the centre, in sides of that square: right, down
	MarginPx float32    `json:"margin_px,omitempty"` // instead: the box grown by this much on each side and cut at the frame
}

// CascadeRule says how a cascade of Haar features searches a picture (OpenCV's detectMultiScale).
type CascadeRule struct {
	Scale      float64 `json:"scale"`      // by which the window grows from pass to pass, over 1
	Neighbours int     `json:"neighbours"` // least number of overlapping finds that make a face
	MinPx      int     `json:"min_px"`     // least side of a face
}

// Kinds of output of a classifier.
const (
	Logits        = "logits"        // a number a class, before softmax
	Probabilities = "probabilities" // likewise, after it
	AttentionMaps = "attention"     // [n, heads, height, width], see Attention
)

// Output names one output tensor and says what it holds: scores, objectness, boxes or points of a
// detector, or one of the kinds of a classifier.
type Output struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
}

// Model says how a network is fed and read. The manifest in models/ stores it.
type Model struct {
	Name        string       `json:"name"`
	Decoder     string       `json:"decoder"` // blazeface, dan, …: how outputs are read
	Input       Input        `json:"input"`
	Crop        *CropRule    `json:"crop,omitempty"`
	Outputs     []Output     `json:"outputs,omitempty"`
	Cascade     *CascadeRule `json:"cascade,omitempty"` // detect: instead of input and outputs
	Labels      []string     `json:"labels,omitempty"`
	Threshold   float32      `json:"threshold,omitempty"`   // detect: least score kept
	NMS         float32      `json:"nms,omitempty"`         // detect: IoU over which the weaker of two boxes goes
	Temperature float32      `json:"temperature,omitempty"` // classify: logits are divided by it
	Uncertain   float32      `json:"uncertain,omitempty"`   // classify: a confidence below it is shown as uncertain
}

// ForFaces is a detector for faces of at least a part of the frame's longer side: one that takes pictures of any
// size gets them as small as it still finds such faces in. The others take one size.
func (m Model) ForFaces(least float64) Model {
	const pixels = 48 // of the smallest face
	if m.Input.Dynamic && least > 0 {
		steps := math.Ceil(pixels / least / dynamicStep)
		m.Input.Size = min(m.Input.Size, int(steps)*dynamicStep)
	}
	return m
}

// TellsAttention says whether the classifier also says where it looks.
func (m Model) TellsAttention() bool {
	return slices.ContainsFunc(m.Outputs, func(o Output) bool { return o.Kind == AttentionMaps })
}
