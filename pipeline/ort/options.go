package ort

import "mindflow/pipeline"

// Source is a network's file and, optionally, a rewritten model to load instead.
type Source struct {
	Path string // of the file that a manifest entry describes
	// Graph returns the model that is loaded instead of the file on a provider, such as CUDA, or CPU after a fallback.
	// Both must have inputs and outputs of the same types. Optional.
	Graph func(provider string) ([]byte, error)
}

// RunOptions says how a network is run. The zero value, with Threads set, suits the CPU.
type RunOptions struct {
	Threads int // CPU threads of one call; 1 or more

	// MaxBatch is the largest number of pictures in a batch. Zero means schedule.DefaultBatch for a classifier, and 1
	// for a detector.
	MaxBatch int
	// FixedSizes allows only batches of 1, 2, 4, 8 and so on, and of MaxBatch; others are padded up to the next. Some
	// devices compile a network for each shape of its input, or plan their memory for it, which takes seconds.
	FixedSizes bool
	// InFlight is the number of batches that may run at once, each with its own tensors, so that one is sent to the
	// device while it computes another. Zero means the number of processors.
	InFlight int
}

// Size returns the number of pictures with which a batch of n runs.
func (o RunOptions) Size(n int) int {
	if !o.FixedSizes {
		return n
	}
	size := 1
	for size < n {
		size *= 2
	}
	return max(n, min(size, o.MaxBatch))
}

// Sizes returns all sizes of batches that run, the smallest first.
func (o RunOptions) Sizes() (sizes []int) {
	for n := 1; n <= o.MaxBatch; n++ {
		if size := o.Size(n); len(sizes) == 0 || sizes[len(sizes)-1] != size {
			sizes = append(sizes, size)
		}
	}
	return sizes
}

// shapeOf returns the shape of a network's input without the batch axis, for a tensor of w by h pixels.
func shapeOf(in pipeline.Input, w, h int) []int64 {
	width, height, channels := int64(w), int64(h), int64(in.CropChannels())
	if in.Bytes || in.Layout == pipeline.NHWC {
		return []int64{height, width, channels}
	}
	return []int64{channels, height, width}
}
