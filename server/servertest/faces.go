package servertest

import (
	"context"
	"sync"
	"testing"

	"mindflow/pipeline"
	"mindflow/pipeline/avdec"
)

// OneFace finds one face in every frame and classifies it as happy.
type OneFace struct {
	Before func(*pipeline.Frame) error // runs before each detection; optional
	Faces  int                         // instead of one
}

// Detect implements pipeline.Detector.
func (o OneFace) Detect(_ context.Context, dst []pipeline.Face, f *pipeline.Frame) ([]pipeline.Face, error) {
	if o.Before != nil {
		if err := o.Before(f); err != nil {
			return nil, err
		}
	}
	for range max(1, o.Faces) {
		dst = append(dst, pipeline.Face{Box: pipeline.Box{X: 0.25, Y: 0.25, W: 0.5, H: 0.5}, Score: 0.9})
	}
	return dst, nil
}

// Classify implements pipeline.Classifier.
func (OneFace) Classify(_ context.Context, dst []pipeline.Scores, crops []pipeline.Crop) ([]pipeline.Scores, error) {
	for range crops {
		dst = append(dst, pipeline.Scores{Logits: []float32{0, 3}})
	}
	return dst, nil
}

// Analysis returns the analysis with o, whose model is called one-face.
func (o OneFace) Analysis() pipeline.Analysis {
	return pipeline.Analysis{Detector: o, Classifier: o, MaxFaces: 50, Model: pipeline.Model{
		Name: "one-face", Labels: []string{"neutral", "happy"}, Temperature: 1, Uncertain: 0.5,
		Input: pipeline.Input{
			Size: 8, Layout: pipeline.NCHW, Colour: pipeline.Grey, Channels: 1, Scale: 1, Std: [3]float32{1, 1, 1},
		},
		Crop: &pipeline.CropRule{Scale: 1},
	}}
}

// angry scores three classes and looks at the lower right.
type angry struct{}

func (angry) Classify(_ context.Context, dst []pipeline.Scores, crops []pipeline.Crop) ([]pipeline.Scores, error) {
	for range crops {
		maps := pipeline.Attention{Heads: 1, Height: 2, Width: 2, Values: []float32{-1, 0, 0, 4}}
		dst = append(dst, pipeline.Scores{Logits: []float32{3, 0, 0}, Attention: maps})
	}
	return dst, nil
}

// TwoModels returns the analyses of one-face, and of a model called angry, which has attention maps.
func TwoModels() []pipeline.Analysis {
	first := OneFace{}.Analysis()
	second := first
	second.Model.Name, second.Model.Labels = "angry", []string{"anger", "happy", "neutral"}
	second.Model.Outputs = []pipeline.Output{{Name: "maps", Kind: pipeline.AttentionMaps}}
	second.Classifier = angry{}
	return []pipeline.Analysis{first, second}
}

// NoModel returns an analysis for tests in which no frame is analysed.
func NoModel() pipeline.Analysis {
	return pipeline.Analysis{Model: pipeline.Model{Name: "none", Labels: []string{"neutral", "happy"}, Uncertain: 0.5}}
}

// OpenDecoder opens the real decoder.
func OpenDecoder(c pipeline.Codec) (pipeline.Decoder, error) {
	return avdec.Open(c, avdec.DefaultMaxPixels)
}

// NoDecoders checks that the decoders' C memory is free.
func NoDecoders(t testing.TB) {
	t.Helper()
	WaitFor(t, "decoders to close", func() bool { return avdec.Live() == 0 })
}

// Gate holds frames until it is opened.
type Gate struct {
	Shut chan struct{} // closed by Open
	Open func()
}

// NewGate returns a gate that is shut.
func NewGate() Gate {
	shut := make(chan struct{})
	return Gate{shut, sync.OnceFunc(func() { close(shut) })}
}

// Hold is for OneFace.Before.
func (g Gate) Hold(*pipeline.Frame) error { <-g.Shut; return nil }

// SlowDecoder is a decoder that waits until Hold is closed.
type SlowDecoder struct {
	pipeline.Decoder
	Hold chan struct{}
}

// Decode waits until Hold is closed, and then decodes.
func (d SlowDecoder) Decode(u pipeline.Unit, emit func(*pipeline.Frame)) error {
	<-d.Hold
	return d.Decoder.Decode(u, emit)
}
