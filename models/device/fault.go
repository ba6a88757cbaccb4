package device

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"mindflow/pipeline/ort"
)

// Fault is the error of a device that cannot be used, in words for operators.
type Fault struct {
	Device ort.Device
	Cause  string
	Cure   string
	Err    error // of the library; optional
}

func (f *Fault) Error() string {
	return fmt.Sprintf("%s: %s; %s", f.Device, f.Cause, f.Cure)
}

func (f *Fault) Unwrap() error { return f.Err }

const (
	otherLibrary = `run "make gpu", whose library is then used unless another is named`
	ownLibrary   = `use the library of "make build", bin/lib/libonnxruntime.so.1`
	orCPU        = "or use device cpu"
)

// Explain finds the cause of an error of the library about a device.
func Explain(d ort.Device, f Findings, err error) *Fault {
	fault := &Fault{Device: d, Err: err}
	var without *ort.NoProviderError
	switch {
	case errors.As(err, &without):
		fault.Cause = fmt.Sprintf("the ONNX Runtime at %s is built without it, for %s only", without.Library,
			strings.Join(without.Has, ", "))
		fault.Cure = cureOfLibrary(d.Provider)
	case f.NoProvider:
		fault.Cause = fmt.Sprintf("there is no %s beside %s", filepath.Base(f.ProviderFile), f.Library)
		fault.Cure = cureOfLibrary(d.Provider)
	case d.Provider == ort.CUDA || d.Provider == ort.TensorRT:
		fault.Cause, fault.Cure = nvidia(d, f, err)
	case d.Provider == ort.WebGPU:
		fault.Cause, fault.Cure = webGPU(f, err)
	case len(f.Missing) > 0:
		fault.Cause, fault.Cure = "missing "+strings.Join(f.Missing, ", "), "install what holds them, "+orCPU
	default:
		fault.Cause, fault.Cure = words(err), "see what it says above, "+orCPU
	}
	return fault
}

func cureOfLibrary(provider string) string {
	switch provider {
	case ort.CUDA, ort.TensorRT:
		return otherLibrary
	case ort.WebGPU:
		return ownLibrary
	}
	return "use an ONNX Runtime 1.27 that is built with it, " + orCPU
}

// leastDriver has the oldest driver for a release of CUDA (NVIDIA's CUDA Compatibility, table 2).
var leastDriver = map[string]int{"12": 525, "13": 580}

// cudaOf returns the release of CUDA that a provider's file needs, or that of "make gpu" where the file does not say.
func cudaOf(file string) string {
	needs, err := ort.Needs(file)
	if err != nil {
		return "13"
	}
	for _, name := range needs {
		if number, found := strings.CutPrefix(name, "libcudart.so."); found {
			return number
		}
	}
	return "13"
}

// nvidia returns what CUDA or TensorRT lacks: first the driver, which the rest needs.
func nvidia(d ort.Device, f Findings, err error) (cause, cure string) {
	needs, _ := ort.Needs(f.ProviderFile) // err tells about a file that cannot be read
	cuda := cudaOf(f.ProviderFile)
	least := leastDriver[cuda]
	install := fmt.Sprintf("install NVIDIA's driver %d or newer, which CUDA %s needs", least, cuda)
	other := slices.DeleteFunc(slices.Clone(f.Missing), func(name string) bool { return name == "libcuda.so.1" })
	major, _, _ := strings.Cut(f.Driver, ".")
	number, _ := strconv.Atoi(major) // zero without a driver
	text := words(err)
	switch {
	case slices.Contains(f.Missing, "libcuda.so.1"):
		cause = "there is no NVIDIA driver: libcuda.so.1 cannot be loaded"
		if f.Driver != "" {
			cause = fmt.Sprintf("NVIDIA's kernel module %s is loaded, but its libcuda.so.1 cannot be", f.Driver)
		}
		if len(other) > 0 {
			cause += ", nor can " + strings.Join(other, ", ")
		}
		return cause, install + ", and in a container start that with the GPU (docker run --gpus all)"
	case slices.ContainsFunc(other, ofTensorRT):
		return "TensorRT is not there: missing " + strings.Join(other,
			", "), fmt.Sprintf("install %s, or use device cuda", Releases(needs))
	case len(other) > 0:
		return fmt.Sprintf("%s is wanted: missing %s", Releases(needs), strings.Join(other, ", ")),
			`run "make gpu CUDA=yes", which puts them beside the library, or install them`
	case number > 0 && number < least || strings.Contains(text, "driver version is insufficient"):
		return fmt.Sprintf("NVIDIA's driver %s is too old", f.Driver), install
	case !f.Node || strings.Contains(text, "no CUDA-capable device"):
		return "the driver shows no GPU (/dev/nvidiactl)",
			"check nvidia-smi, and in a container start that with the GPU (docker run --gpus all)"
	case strings.Contains(text, "invalid device ordinal"):
		return fmt.Sprintf("there is no GPU %d", d.Index), "nvidia-smi -L lists them, from 0"
	case strings.Contains(text, "out of memory"):
		return "the GPU's memory is full", "end what else uses it (nvidia-smi), or use smaller batches"
	}
	return text, "check nvidia-smi, " + orCPU
}

// ofTensorRT reports whether a shared object belongs to TensorRT.
func ofTensorRT(name string) bool {
	return strings.HasPrefix(name, "libnvinfer") || strings.HasPrefix(name, "libnvonnxparser")
}

func webGPU(f Findings, err error) (cause, cure string) {
	text := words(err)
	switch {
	case strings.Contains(text, "not supported in this build"):
		return "the ONNX Runtime at " + f.Library + " is built without it", ownLibrary
	case f.Loader != nil:
		return "Vulkan's loader is not there: " + f.Loader.Error(), "install libvulkan1 and the GPU's Vulkan driver, " +
			orCPU
	case len(f.Drivers) == 0:
		return "no Vulkan driver is installed", "install the GPU's, such as mesa-vulkan-drivers for AMD and Intel, " +
			orCPU
	case strings.Contains(text, "adapter"):
		return "no Vulkan driver gives a GPU that WebGPU can use: " + strings.Join(f.Drivers,
			", "), "check vulkaninfo, update the driver, " + orCPU
	}
	return text, "check vulkaninfo, " + orCPU
}

// words returns an error in one line.
func words(err error) string {
	if err == nil {
		return "not tried"
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}

// Fault returns what the findings of InspectLoading lack, or nil where the device is worth a try.
func (f Findings) Fault(d ort.Device) *Fault {
	major, _, _ := strings.Cut(f.Driver, ".")
	number, _ := strconv.Atoi(major) // zero without a driver
	nvidia := d.Provider == ort.CUDA || d.Provider == ort.TensorRT
	if len(f.Missing) > 0 || f.Loader != nil || nvidia && number > 0 && number < leastDriver[cudaOf(f.ProviderFile)] {
		return Explain(d, f, nil)
	}
	return absent(d, f)
}

// absent returns what the findings of Inspect lack, or nil where the device is worth a try.
func absent(d ort.Device, f Findings) *Fault {
	nvidia := d.Provider == ort.CUDA || d.Provider == ort.TensorRT
	switch {
	case f.NoProvider:
		return Explain(d, f, nil)
	case nvidia && !f.Node:
		return &Fault{Device: d, Cause: "no NVIDIA GPU (/dev/nvidiactl is not there)",
			Cure: "install NVIDIA's driver where there is one"}
	case d.Provider == ort.WebGPU && !f.Named && !f.Node:
		return &Fault{Device: d, Cause: "no GPU (neither /dev/dri/renderD* nor /dev/nvidiactl is there)",
			Cure: "name the device to try it all the same"}
	case d.Provider == ort.WebGPU && len(f.Drivers) == 0:
		return &Fault{Device: d, Cause: "no Vulkan driver is installed",
			Cure: "install the GPU's, such as mesa-vulkan-drivers"}
	}
	return nil
}
