package ort

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// CPU is the execution provider that is always there.
const CPU = "CPU"

// Execution providers, as the library and Providers call them.
const (
	CUDA     = "CUDA"
	TensorRT = "Tensorrt"
	WebGPU   = "WebGpu"
	OpenVINO = "OpenVINO"
	CoreML   = "CoreML"
)

// devices maps the names of devices to providers. Those of a GPU's vendor come first.
var devices = []struct {
	name, provider string
	numbered       bool // there may be several
}{
	{"tensorrt", TensorRT, true},
	{"cuda", CUDA, true},
	{"coreml", CoreML, false},
	{"openvino", OpenVINO, false},
	{"webgpu", WebGPU, false},
	{"cpu", CPU, false},
}

// Device is the device that networks run on. The zero value is the CPU.
type Device struct {
	Provider string // a constant above; empty means CPU
	Index    int    // number of the GPU, from 0, for CUDA and TensorRT

	Memory  int64  // bytes of the GPU's memory that CUDA and TensorRT may use; zero means unlimited
	FP16    bool   // TensorRT may compute in half precision
	Engines string // folder in which TensorRT and OpenVINO cache built engines; optional

	// AllowFallback loads a network on the CPU where the device cannot load it. Without it that is an error.
	AllowFallback bool
	// OnFallback is called once for each network that moves from the device to the CPU, with the reason. Optional.
	//
	// A network that fails on the device and not on the CPU stays on the CPU: the device may be lost, and each further
	// attempt would take seconds.
	OnFallback func(network, provider string, why error)
}

// ParseDevice parses cpu, cuda, cuda:N, tensorrt, tensorrt:N, webgpu, openvino or coreml.
func ParseDevice(text string) (Device, error) {
	name, number, numbered := strings.Cut(text, ":")
	for _, d := range devices {
		if d.name != name || numbered && !d.numbered {
			continue
		}
		index := 0
		if numbered {
			var err error
			if index, err = strconv.Atoi(number); err != nil || index < 0 || index > 63 {
				return Device{}, fmt.Errorf("device %q: %q is no number of a GPU; use %s:0 to %s:63", text, number,
					name, name)
			}
		}
		return Device{Provider: d.provider, Index: index}, nil
	}
	const known = "cpu, cuda, cuda:N, tensorrt, tensorrt:N, webgpu, openvino or coreml"
	return Device{}, fmt.Errorf("device %q is unknown; use %s", text, known)
}

// String returns the text that ParseDevice parses.
func (d Device) String() string {
	for _, known := range devices {
		if known.provider == d.Provider {
			if known.numbered && d.Index > 0 {
				return fmt.Sprintf("%s:%d", known.name, d.Index)
			}
			return known.name
		}
	}
	return "cpu"
}

// Candidates returns the devices that a library with these providers may have, without the CPU.
func Candidates(providers []string) (list []Device) {
	for _, d := range devices {
		if d.provider != CPU && slices.Contains(providers, d.provider) {
			list = append(list, Device{Provider: d.provider})
		}
	}
	return list
}

// DeviceError is the error of a network that the CPU can load and the device cannot.
type DeviceError struct {
	Device  Device
	Network string
	Err     error // of the library
}

func (e *DeviceError) Error() string {
	return fmt.Sprintf("load %s on %s: %v", e.Network, e.Device, e.Err)
}

func (e *DeviceError) Unwrap() error { return e.Err }
