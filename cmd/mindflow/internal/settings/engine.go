package settings

import (
	"flag"
	"fmt"
	"os"

	"mindflow/models/engine"
	"mindflow/pipeline/vision"
)

// EngineFlags declares the flags of everything that analyses frames. The values of s are their defaults.
func EngineFlags(fs *flag.FlagSet, s *engine.Settings) {
	PathFlags(fs, s)
	modelFlags(fs, s, "; several to choose from: repeat or use commas, the default first (only serve offers several, "+
		"all others take that)")
	fs.StringVar(&s.Preset, "preset", s.Preset, "`name` of a known way to analyse, which sets what is not set "+
		"otherwise: notebook (as the original: Haar, box grown by 60 pixels, 224 pixels in colour, no smoothing)")
	deviceFlags(fs, &s.Device)
	fs.StringVar(&s.Device.Precision, "precision", s.Device.Precision, "numbers that classifiers compute with: fp32, "+
		"fp16 (float32 where they get too large for it; slow on the CPU), int8 (on the CPU, twice as fast with AVX2 "+
		"and three times with VNNI; a label in a hundred is another), or auto: fp16 on CUDA, else fp32, and int8 "+
		"while a server that has only such a CPU is full. TensorRT chooses by itself what it computes in fp16, if "+
		"that is named")
	fs.IntVar(&s.Threads, "threads", s.Threads, "CPU threads of one inference")
	fs.DurationVar(&s.Smoothing, "smoothing", s.Smoothing, "time constant of the shown scores, 0 for none")
	fs.IntVar(&s.MaxFaces, "max-faces", s.MaxFaces, "faces analysed in a frame, surest first")
	fs.Float64Var(&s.MinFace, "min-face", s.MinFace, "longer side of the smallest face asked for, as a `fraction` of "+
		"the frame's; 0 is any. yunet then works on a smaller picture")
	policyFlags(fs, s)
	fs.IntVar(&s.Batch.MaxCrops, "batch", s.Batch.MaxCrops, "faces of all sessions that are classified at once at "+
		"most; 0 is what suits the device: 8 on the CPU, 64 on CUDA and TensorRT, else 32")
	fs.DurationVar(&s.Batch.Wait, "batch-wait", s.Batch.Wait,
		"time that a batch waits to fill; 0 waits only while all processors are busy")
	s.OnFallback = func(network, device string, why error) {
		fmt.Fprintf(os.Stderr, "%s goes on on the CPU, as %s failed: %v\n", network, device, why)
	}
}

// policyFlags declares the flags of what is left out of the analysis of a stream.
func policyFlags(fs *flag.FlagSet, s *engine.Settings) {
	p := &s.Policy
	fs.DurationVar(&p.DetectEvery, "detect-every", p.DetectEvery, "time between two detections while the known faces "+
		"can be followed without; with --rest-every 0s too, 0s detects in every frame")
	fs.DurationVar(&p.ClassifyEvery, "classify-every", p.ClassifyEvery, "time between two classifications of a face "+
		"that changes; with --rest-every 0s too, 0s classifies every face of every frame")
	fs.DurationVar(&p.RestEvery, "rest-every", p.RestEvery, "the same for faces that neither move nor change; 0s "+
		"treats all alike")
	fs.DurationVar(&p.MaxDefer, "put-off", p.MaxDefer, "longest time that faces are only followed, with the scores "+
		"they have, while a turn of a full machine is waited for; 0s never")
	fs.Float64Var(&p.MinChange, "change", p.MinChange, "mean difference of a face's picture, in grey `levels` of 255, "+
		"from which it has changed")
	fs.Float64Var(&p.MinMargin, "doubt", p.MinMargin, "a face is classified in every frame while a smaller change of "+
		"its smoothed `probabilities` than this would show something else; 0 only before that")
}

// ThroughputFlags declares the flags of what a network runs on, without batch and precision: a measurement takes
// several of each.
func ThroughputFlags(fs *flag.FlagSet, s *engine.Settings) {
	PathFlags(fs, s)
	modelFlags(fs, s, "")
	fs.IntVar(&s.Threads, "threads", s.Threads, "CPU threads of one inference")
	deviceFlags(fs, &s.Device)
}

// PathFlags declares the flags of where files are.
func PathFlags(fs *flag.FlagSet, s *engine.Settings) {
	fs.StringVar(&s.Models, "models", s.Models, "`folder` of the models that you added; shipped ones may lie there or "+
		"beside the program")
	fs.StringVar(&s.Library, "ort-lib", s.Library,
		"ONNX Runtime's shared library, a `file`; that of make gpu where it was made")
}

func modelFlags(fs *flag.FlagSet, s *engine.Settings, several string) {
	s.OpenCascade = vision.OpenCascade
	fs.StringVar(&s.Detector, "detector", s.Detector, "face detector, a `name` in the manifest")
	fs.Var(&names{list: &s.Classifiers}, "model", "expression classifier, a `name` in the manifest"+several)
}

func deviceFlags(fs *flag.FlagSet, d *engine.Device) {
	fs.StringVar(&d.Name, "device", d.Name, "what networks run on: cpu, cuda, cuda:N, tensorrt, tensorrt:N, webgpu, "+
		"openvino or coreml, where the library that --ort-lib names has it, or auto, the fastest that is there and "+
		"answers as the CPU does")
	fs.IntVar(&d.Memory, "gpu-memory", d.Memory, "`MiB` of the GPU's memory that CUDA and TensorRT may take; 0 is as "+
		"many as they need")
	fs.StringVar(&d.Engines, "engine-cache", d.Engines, "`folder` that TensorRT and OpenVINO keep what they built for "+
		"this GPU in, which takes minutes; none where empty")
	d.Log = func(text string) { fmt.Fprintln(os.Stderr, "device:", text) }
}
