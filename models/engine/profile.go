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

// Precisions of classifiers. Auto chooses the one that suits the device.
const (
	FP32 = "fp32"
	FP16 = "fp16" // with float32 after the attention gates
)

// profile says how networks are rewritten for a device, and how they run on it.
type profile struct {
	provider   string
	half       bool // classifiers compute in half precision, where their graphs are known
	bytes      bool // pictures go to the device as bytes
	fixedSizes bool // see ort.RunOptions
	inFlight   int  // see ort.RunOptions
	maxFaces   int  // faces in a batch, unless Settings.Batch says otherwise
	maxFrames  int  // frames in a batch of the detector
}

// profileFor returns the profile that suits an execution provider.
func profileFor(provider string) profile {
	switch provider {
	case ort.CPU: // it has no half precision, runs any shape at once, and reads floats from the cache
		return profile{provider: provider, maxFaces: schedule.DefaultBatch, maxFrames: 1}
	case ort.CUDA:
		return profile{
			provider: provider, half: true, bytes: true, fixedSizes: true, inFlight: 2, maxFaces: 64, maxFrames: 16,
		}
	case ort.TensorRT: // where it may use half precision, it chooses by itself what it computes in it, the gates too
		return profile{provider: provider, bytes: true, fixedSizes: true, inFlight: 2, maxFaces: 64, maxFrames: 16}
	case ort.WebGPU: // it has no kernels for bytes, half precision on some GPUs only, and runs one call at a time
		return profile{provider: provider, fixedSizes: true, inFlight: 1, maxFaces: 32, maxFrames: 8}
	}
	return profile{provider: provider, fixedSizes: true, inFlight: 1, maxFaces: 32, maxFrames: 1}
}

// profileFor returns the profile for a provider, with the settings applied.
func (s Settings) profileFor(provider string) profile {
	p := profileFor(provider)
	if s.Device.Precision != "" && s.Device.Precision != Auto {
		p.half = s.Device.Precision == FP16
	}
	if s.Batch.MaxCrops > 0 {
		p.maxFaces = s.Batch.MaxCrops
	}
	return p
}

// runOptions returns the options of a network that runs on up to maxBatch pictures at once.
func (p profile) runOptions(threads, maxBatch int) ort.RunOptions {
	return ort.RunOptions{Threads: threads, MaxBatch: maxBatch, FixedSizes: p.fixedSizes, InFlight: p.inFlight}
}

// rewrite says what is changed in a graph, in this order.
type rewrite struct {
	half      bool            // compute in half precision
	freeBatch bool            // take any number of pictures
	bytes     *pipeline.Input // take bytes, normalised as it says; optional
}

// apply returns the rewritten model of a file.
func (r rewrite) apply(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m, err := onnx.Parse(data)
	if err == nil && r.half {
		m.Graph, err = m.Graph.Halve(dan.Narrow)
	}
	if err == nil && r.freeBatch {
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

// source returns the source of a file that is rewritten when it is loaded. The CPU, after a fallback, gets it in
// float32.
func (r rewrite) source(path string, p profile) ort.Source {
	if r == (rewrite{}) {
		return ort.Source{Path: path}
	}
	return ort.Source{Path: path, Graph: func(provider string) ([]byte, error) {
		r := r
		r.half = r.half && provider == p.provider
		return r.apply(path)
	}}
}

// classifier returns the source of a classifier, and its model as rewritten. note says which rewrite was not possible.
func (p profile) classifier(
	e models.Entry, m pipeline.Model, path, precision string,
) (from ort.Source, rewritten pipeline.Model, note, err error) {
	r := rewrite{half: p.half}
	if r.half {
		err := errors.New("only of DAN it is known what must stay in float32")
		if e.Decoder == "dan" {
			_, err = r.apply(path)
		}
		if err != nil && precision == FP16 {
			return from, m, nil, field.Valuef("Precision", FP16, "model %s: %w; use fp32", e.Name, err)
		}
		r.half = err == nil // a file of another precision, such as int8, keeps it
	}
	note = p.takeBytes(&r, &m, path)
	return r.source(path, p), m, note, nil
}

// detector returns the source of a detector, its model as rewritten, and the number of frames in a batch. The error
// says which rewrite was not possible; the detector runs without it.
func (p profile) detector(m pipeline.Model, path string) (ort.Source, pipeline.Model, int, error) {
	r, frames := rewrite{}, p.maxFrames
	if m.Input.Dynamic { // pictures of different shapes cannot share a batch
		frames = 1
	}
	var note error
	if frames > 1 {
		if _, note = (rewrite{freeBatch: true}).apply(path); note != nil {
			frames = 1
		}
		r.freeBatch = note == nil
	}
	note = errors.Join(note, p.takeBytes(&r, &m, path))
	return r.source(path, p), m, frames, note
}

// takeBytes makes a model take bytes where the device prefers them. The error says why that was not possible.
func (p profile) takeBytes(r *rewrite, m *pipeline.Model, path string) error {
	if !p.bytes {
		return nil
	}
	in := m.Input
	in.Bytes = true
	with := rewrite{r.half, r.freeBatch, &in}
	if _, err := with.apply(path); err != nil {
		return err
	}
	m.Input, *r = in, with
	return nil
}
