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

// devices are what people call the providers, those of a GPU's maker first.
var devices = []struct {
	name, provider string
	numbered       bool // there may be several of them
}{
	{"tensorrt", TensorRT, true},
	{"cuda", CUDA, true},
	{"coreml", CoreML, false},
	{"openvino", OpenVINO, false},
	{"webgpu", WebGPU, false},
	{"cpu", CPU, false},
}

// Device is what networks run on. The zero Device is the CPU.
type Device struct {
	Provider string // a constant above; "" is CPU
	Index    int    // which GPU, from 0, of CUDA and TensorRT

	Memory  int64  // bytes that CUDA and TensorRT may take of the GPU; 0 is as many as are needed
	FP16    bool   // TensorRT may compute in half precision
	Engines string // folder that TensorRT and OpenVINO keep built engines in; "" keeps none

	// Lenient has a network that cannot be loaded on the device loaded for the CPU. Otherwise that is an error.
	Lenient bool
	// Fell hears once of each network that leaves the device for the CPU, and why. None.
	//
	// One that fails while the CPU can run it goes on on the CPU for good: the device may be lost, and to ask a lost one again
	// costs seconds.
	Fell func(network, provider string, why error)
}

// ParseDevice reads cpu, cuda, cuda:N, tensorrt, tensorrt:N, webgpu, openvino or coreml.
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
				return Device{}, fmt.Errorf("device %q: %q is no number of a GPU; use %s:0 to %s:63", text, number, name, name)
			}
		}
		return Device{Provider: d.provider, Index: index}, nil
	}
	return Device{}, fmt.Errorf("device %q is unknown; use cpu, cuda, cuda:N, tensorrt, tensorrt:N, webgpu, openvino or coreml", text)
}

// String is what ParseDevice reads.
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

// Candidates are the devices that a library with these providers may offer, the CPU apart.
func Candidates(providers []string) (list []Device) {
	for _, d := range devices {
		if d.provider != CPU && slices.Contains(providers, d.provider) {
			list = append(list, Device{Provider: d.provider})
		}
	}
	return list
}

// DeviceError is a device that a network could not be loaded for though the CPU can run it.
type DeviceError struct {
	Device  Device
	Network string
	Err     error // the library's words
}

func (e *DeviceError) Error() string {
	return fmt.Sprintf("load %s on %s: %v", e.Network, e.Device, e.Err)
}

func (e *DeviceError) Unwrap() error { return e.Err }
