package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mindflow/models/device"
	"mindflow/pipeline/field"
	"mindflow/pipeline/ort"
)

// Auto is the name of a device that Open chooses.
const Auto = "auto"

// Device configures the device that networks run on.
type Device struct {
	Name      string // Auto, or a name for ort.ParseDevice; empty means cpu
	Memory    int    // MiB of the GPU's memory that CUDA and TensorRT may use; zero means unlimited
	Precision string // of classifiers: Auto, FP32, FP16 or INT8; empty means Auto
	Engines   string // folder in which TensorRT and OpenVINO cache built engines; optional

	// Child runs Probe in a child process, and returns its answer. Optional: without it, Auto means the CPU, and a
	// named device is not tried first.
	Child func(ctx context.Context, request []byte) ([]byte, error)
	// Log is called with one line about the choice: what was skipped and taken, and why. Optional.
	Log func(text string)
}

// defaultEngines returns the default folder of engines.
func defaultEngines() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "mindflow", "engines")
}

func (d Device) check() error {
	if d.Name != "" && d.Name != Auto {
		if _, err := ort.ParseDevice(d.Name); err != nil {
			return field.Valuef("Device", d.Name,
				"use auto, cpu, cuda, cuda:N, tensorrt, tensorrt:N, webgpu, openvino or coreml")
		}
	}
	switch {
	case d.Memory < 0 || d.Memory > 1<<20:
		return field.Valuef("GPUMemory", d.Memory, "use 0 to %d MiB", 1<<20)
	case !slices.Contains([]string{"", Auto, FP32, FP16, INT8}, d.Precision):
		return field.Valuef("Precision", d.Precision, "use auto, fp32, fp16 or int8")
	}
	return nil
}

func (d Device) log(text string) {
	if d.Log != nil {
		d.Log(text)
	}
}

// complete adds the settings to a device.
func (s Settings) complete(on ort.Device) ort.Device {
	on.Memory, on.FP16 = int64(s.Device.Memory)<<20, s.Device.Precision == FP16
	on.Engines, on.OnFallback = s.Device.Engines, s.OnFallback
	return on
}

// useDevice sets the runtime's device.
func (s Settings) useDevice(loaded *ort.Runtime) error {
	if s.Device.Name == "" {
		s.Device.Name = "cpu"
	}
	on, err := s.chooseDevice(loaded)
	if err != nil {
		return err
	}
	if on.Provider == ort.TensorRT || on.Provider == ort.OpenVINO {
		if err := s.makeEngineFolder(); err != nil {
			return err
		}
	}
	return s.explain(loaded.Use(s.complete(on)))
}

func (s Settings) makeEngineFolder() error {
	if s.Device.Engines == "" {
		return nil
	}
	if err := os.MkdirAll(s.Device.Engines, 0o755); err != nil {
		return field.Errorf("Engines", "%w; name a folder that can be written, or leave it empty to keep none", err)
	}
	return nil
}

// chooseDevice returns the named device, after a child has tried it, or the fastest one for Auto.
func (s Settings) chooseDevice(loaded *ort.Runtime) (ort.Device, error) {
	ctx := context.Background()
	if s.Device.Name == Auto {
		if s.Device.Child == nil {
			return ort.Device{}, nil
		}
		providers, err := loaded.Providers()
		if err != nil {
			return ort.Device{}, err
		}
		inspect := func(d ort.Device) device.Findings { return device.Inspect(s.Library, d) }
		choice := device.Choose(ctx, ort.Candidates(providers), inspect, s.probe)
		s.Device.log(strings.Join(choice.Notes, "; "))
		choice.Device.AllowFallback = true
		return choice.Device, nil
	}
	on, err := ort.ParseDevice(s.Device.Name)
	if err != nil {
		return on, err
	}
	if s.Device.Child == nil || on.Provider == ort.CPU {
		return on, nil
	}
	if err := loaded.Use(s.complete(on)); err != nil { // fail before a child is started
		return on, s.explain(err)
	}
	return on, s.probeNamed(ctx, on)
}

// probeNamed has a child try the device, since its driver may crash or hang.
func (s Settings) probeNamed(ctx context.Context, on ort.Device) error {
	r, err := s.probe(ctx, on)
	if err != nil {
		return err
	}
	cpu, err := s.probe(ctx, ort.Device{})
	if err != nil {
		return field.Valuef("Device", on, "try the CPU, to compare with: %w", err)
	}
	if apart := r.Difference(cpu); apart != "" {
		s.Device.log(fmt.Sprintf("%s does not answer as the CPU does, and runs all the same, as it is named: %s", on,
			apart))
		return nil
	}
	s.Device.log(fmt.Sprintf("%s answers as the CPU does: %.3g ms for a detection and a batch, the CPU %.3g", on,
		r.Millis, cpu.Millis))
	return nil
}

// Time limits of a probe. TensorRT builds engines at its first start. A software GPU would take longer than probeLimit,
// and would not be faster than the CPU.
const (
	probeLimit      = 20 * time.Second
	namedProbeLimit = 2 * time.Minute
	buildLimit      = 10 * time.Minute
)

// probe has a child try a device. It is a device.Prober.
func (s Settings) probe(ctx context.Context, on ort.Device) (device.Report, error) {
	limit := probeLimit
	switch {
	case on.Provider == ort.TensorRT:
		limit = buildLimit
	case s.Device.Name != Auto:
		limit = namedProbeLimit
	}
	ctx, stop := context.WithTimeout(ctx, limit)
	defer stop()
	request, err := json.Marshal(s.request(on, limit))
	if err != nil {
		return device.Report{}, err
	}
	answer, err := s.Device.Child(ctx, request)
	var got probeAnswer
	if err == nil {
		err = json.Unmarshal(answer, &got)
	}
	switch {
	case err == nil && got.Cure != "":
		return got.Report, &device.Fault{Device: on, Cause: got.Cause, Cure: got.Cure}
	case err == nil && got.Cause != "":
		err = errors.New(got.Cause)
	}
	if err != nil {
		return device.Report{}, device.Explain(on, device.InspectLoading(s.Library, on), err)
	}
	return got.Report, nil
}

// explain turns an error of the library into a *device.Fault, where it is about a device.
func (s Settings) explain(err error) error {
	var without *ort.NoProviderError
	var failed *ort.DeviceError
	var on ort.Device
	switch {
	case errors.As(err, &without):
		on = without.Device
	case errors.As(err, &failed):
		on = failed.Device
	default:
		return err
	}
	return device.Explain(on, device.InspectLoading(s.Library, on), err)
}
