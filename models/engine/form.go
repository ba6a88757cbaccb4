package engine

import (
	"errors"
	"fmt"
	"os"

	"mindflow/models"
	"mindflow/models/dan"
	"mindflow/models/onnx"
	"mindflow/pipeline"
	"mindflow/pipeline/field"
	"mindflow/pipeline/ort"
	"mindflow/pipeline/schedule"
)

// Precisions that classifiers compute in, besides Auto, what suits the device.
const (
	FP32 = "fp32"
	FP16 = "fp16" // with float32 from the attention gates on
)

// form is what networks are rewritten to and how they are run.
type form struct {
	provider string
	half     bool // classifiers compute in half precision, where their graphs are known
	bytes    bool // pictures go to the device as bytes
	fixed    bool // see ort.RunOptions
	slots    int  // likewise
	faces    int  // of a batch at most, where nobody says otherwise
	frames   int  // likewise, that are searched at once
}

// formFor is what suits a provider of execution.
func formFor(provider string) form {
	switch provider {
	case ort.CPU: // it has no half precision, runs any shape at once, and reads floats from the cache
		return form{provider: provider, faces: schedule.DefaultBatch, frames: 1}
	case ort.CUDA:
		return form{provider: provider, half: true, bytes: true, fixed: true, slots: 2, faces: 64, frames: 16}
	case ort.TensorRT: // which chooses by itself what it computes in half precision, the gates too, where it may at all
		return form{provider: provider, bytes: true, fixed: true, slots: 2, faces: 64, frames: 16}
	case ort.WebGPU: // has no kernels for bytes, half precision on some GPUs only, and runs one call at a time
		return form{provider: provider, fixed: true, slots: 1, faces: 32, frames: 8}
	}
	return form{provider: provider, fixed: true, slots: 1, faces: 32, frames: 1}
}

// form is what the settings make of it.
func (s Settings) form(provider string) form {
	f := formFor(provider)
	if s.Device.Precision != "" && s.Device.Precision != Auto {
		f.half = s.Device.Precision == FP16
	}
	if s.Batch.MaxCrops > 0 {
		f.faces = s.Batch.MaxCrops
	}
	return f
}

// running is how a network runs on that many pictures at once.
func (f form) running(threads, most int) ort.RunOptions {
	return ort.RunOptions{Threads: threads, MaxBatch: most, FixedSizes: f.fixed, InFlight: f.slots}
}

// rewriting is what is done to a graph, in this order.
type rewriting struct {
	half, free bool
	bytes      *pipeline.Input
}

func (r rewriting) of(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m, err := onnx.Parse(data)
	if err == nil && r.half {
		m.Graph, err = m.Graph.Halve(dan.Narrow)
	}
	if err == nil && r.free {
		m.Graph, err = m.Graph.FreeBatch()
	}
	if in := r.bytes; err == nil && in != nil {
		var scale, offset [3]float64
		for c := range 3 {
			scale[c], offset[c] = float64(in.Scale/in.Std[c]), -float64(in.Mean[c]/in.Std[c])
		}
		m.Graph, err = m.Graph.TakeBytes(int64(in.CropChannels()), in.Layout == pipeline.NHWC, scale, offset)
	}
	if err != nil {
		return nil, fmt.Errorf("rewrite %s: %w", path, err)
	}
	return m.Marshal(), nil
}

// source is the file, rewritten when it is loaded. A device's stand-in, the CPU, gets it in float32.
func (r rewriting) source(path string, f form) ort.Source {
	if r == (rewriting{}) {
		return ort.Source{Path: path}
	}
	return ort.Source{Path: path, Graph: func(provider string) ([]byte, error) {
		r := r
		r.half = r.half && provider == f.provider
		return r.of(path)
	}}
}

// classifier says what is loaded for a classifier, and how the model is then fed. note says what could not be done
// for it.
func (f form) classifier(e models.Entry, m pipeline.Model, path, precision string) (from ort.Source, fed pipeline.Model,
	note, err error) {
	r := rewriting{half: f.half}
	if r.half {
		err := errors.New("only of DAN it is known what must stay in float32")
		if e.Decoder == "dan" {
			_, err = r.of(path)
		}
		if err != nil && precision == FP16 {
			return from, m, nil, field.Valuef("Precision", FP16, "model %s: %w; use fp32", e.Name, err)
		}
		r.half = err == nil // its file may hold another precision, such as int8, which is then kept
	}
	note = f.takeBytes(&r, &m, path)
	return r.source(path, f), m, note, nil
}

// detector says what is loaded for a detector, how it is fed and how many frames it takes at once. An error says what
// could not be done for it.
func (f form) detector(m pipeline.Model, path string) (ort.Source, pipeline.Model, int, error) {
	r, frames := rewriting{}, f.frames
	if m.Input.Dynamic { // pictures of other shapes cannot share a batch
		frames = 1
	}
	var alone error
	if frames > 1 {
		if _, alone = (rewriting{free: true}).of(path); alone != nil {
			frames = 1
		}
		r.free = alone == nil
	}
	alone = errors.Join(alone, f.takeBytes(&r, &m, path))
	return r.source(path, f), m, frames, alone
}

// takeBytes has a model fed with bytes where the device wants them. An error says why it is not.
func (f form) takeBytes(r *rewriting, m *pipeline.Model, path string) error {
	if !f.bytes {
		return nil
	}
	in := m.Input
	in.Bytes = true
	with := rewriting{r.half, r.free, &in}
	if _, err := with.of(path); err != nil {
		return err
	}
	m.Input, *r = in, with
	return nil
}
