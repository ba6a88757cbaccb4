package ort

import (
	"mindflow/pipeline"
)

// Source is a network's file, or what it is rewritten to when it is loaded.
type Source struct {
	Path string // of the file, which a manifest entry describes
	// Graph gives the bytes of a model that is loaded instead of the file on a provider, such as CUDA, or the CPU when that fails: both
	// must take and give tensors of the same types. None: the file itself.
	Graph func(provider string) ([]byte, error)
}

// Running says how a network is run. The zero value, with Threads set, suits the CPU.
type Running struct {
	Threads int // 1 or more, of the CPU, that work on one call
	Most    int // pictures of a batch at most; 0 is schedule.DefaultBatch for a classifier, and 1 for a detector

	// Fixed has only batches of 1, 2, 4, 8 and so on run, and of Most: others are padded up to the next. Devices that compile
	// a network for each shape of its input, or plan its memory for it, take seconds at every new one.
	Fixed bool
	// Slots is the number of batches that may be in flight at once, each with tensors of its own, so that one is sent to the
	// device while it computes another. 0 is the number of processors.
	Slots int
}

// Size is the number of pictures that a batch of n runs with.
func (r Running) Size(n int) int {
	if !r.Fixed {
		return n
	}
	size := 1
	for size < n {
		size *= 2
	}
	return max(n, min(size, r.Most))
}

// Sizes are all that run, the smallest first.
func (r Running) Sizes() (sizes []int) {
	for n := 1; n <= r.Most; n++ {
		if size := r.Size(n); len(sizes) == 0 || sizes[len(sizes)-1] != size {
			sizes = append(sizes, size)
		}
	}
	return sizes
}

// shapeOf is the shape of a network's input without the batch axis, for a tensor of w by h pixels.
func shapeOf(in pipeline.Input, w, h int) []int64 {
	width, height, channels := int64(w), int64(h), int64(in.CropChannels())
	if in.Bytes || in.Layout == pipeline.NHWC {
		return []int64{height, width, channels}
	}
	return []int64{channels, height, width}
}
