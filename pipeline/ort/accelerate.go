package ort

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	ort "github.com/yalue/onnxruntime_go"
)

// accelerate sets the options for a network on the device. The next provider, and last the CPU, computes what the
// device cannot.
func (d Device) accelerate(options *ort.SessionOptions, p plan) error {
	switch d.Provider {
	case "", CPU:
		return nil
	case TensorRT:
		if err := d.tensorRT(options, p); err != nil {
			return err
		}
		return d.cuda(options) // for operators that TensorRT lacks
	case CUDA:
		return d.cuda(options)
	case OpenVINO:
		return options.AppendExecutionProviderOpenVINO(d.openVINO())
	case CoreML:
		return options.AppendExecutionProviderCoreMLV2(map[string]string{"ModelFormat": "MLProgram",
			"MLComputeUnits": "ALL"})
	case WebGPU:
		return options.AppendExecutionProvider("WebGPU", nil)
	}
	return fmt.Errorf("execution provider %q is not known here", d.Provider)
}

func (d Device) cuda(options *ort.SessionOptions) (err error) {
	cuda, err := ort.NewCUDAProviderOptions()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cuda.Destroy()) }()
	chosen := map[string]string{
		"device_id": strconv.Itoa(d.Index),
		// The default doubles the memory at each growth; other programs may share the GPU.
		"arena_extend_strategy": "kSameAsRequested",
	}
	if d.Memory > 0 {
		chosen["gpu_mem_limit"] = strconv.FormatInt(d.Memory, 10)
	}
	if err := cuda.Update(chosen); err != nil {
		return err
	}
	return options.AppendExecutionProviderCUDA(cuda)
}

func (d Device) tensorRT(options *ort.SessionOptions, p plan) (err error) {
	rt, err := ort.NewTensorRTProviderOptions()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rt.Destroy()) }()
	chosen := map[string]string{"device_id": strconv.Itoa(d.Index)}
	if d.FP16 {
		chosen["trt_fp16_enable"] = "1"
	}
	if d.Memory > 0 {
		chosen["trt_max_workspace_size"] = strconv.FormatInt(d.Memory, 10)
	}
	if d.Engines != "" { // building an engine takes a minute or more
		chosen["trt_engine_cache_enable"], chosen["trt_engine_cache_path"] = "1", d.Engines
		chosen["trt_timing_cache_enable"], chosen["trt_timing_cache_path"] = "1", d.Engines
	}
	if p.maxBatch > 1 { // otherwise an engine is built again for each larger batch
		maps.Copy(chosen, map[string]string{
			"trt_profile_min_shapes": p.batchShape(1),
			"trt_profile_opt_shapes": p.batchShape(p.maxBatch),
			"trt_profile_max_shapes": p.batchShape(p.maxBatch),
		})
	}
	if err := rt.Update(chosen); err != nil {
		return err
	}
	return options.AppendExecutionProviderTensorRT(rt)
}

func (d Device) openVINO() map[string]string {
	chosen := map[string]string{"device_type": "AUTO:GPU,CPU"}
	if d.Engines != "" {
		chosen["cache_dir"] = d.Engines
	}
	return chosen
}

// batchShape returns the input's shape for n pictures in TensorRT's notation.
func (p plan) batchShape(n int) string {
	sizes := []string{strconv.Itoa(n)}
	for _, size := range p.picture {
		sizes = append(sizes, strconv.FormatInt(size, 10))
	}
	return p.input + ":" + strings.Join(sizes, "x")
}

// check returns a *NoProviderError where the library was built without the device's provider.
func (r *Runtime) check(d Device) error {
	if d.Provider == "" || d.Provider == CPU {
		return nil
	}
	has, err := r.Providers()
	if err != nil {
		return err
	}
	if slices.Contains(has, d.Provider) {
		return nil
	}
	names := []string{"cpu"}
	for _, c := range Candidates(has) {
		names = append(names, c.String())
	}
	return &NoProviderError{Device: d, Library: r.library, Has: names}
}

// NoProviderError is the error of a device whose provider the library was built without.
type NoProviderError struct {
	Device  Device
	Library string
	Has     []string // devices that it was built for
}

func (e *NoProviderError) Error() string {
	return fmt.Sprintf("%s: the ONNX Runtime at %s is built without it, for %s only",
		e.Device, e.Library, strings.Join(e.Has, ", "))
}
