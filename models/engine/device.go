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

// Auto is the name of a device that is yet to be chosen.
const Auto = "auto"

// Device says what networks run on.
type Device struct {
	Name      string // Auto, or what ort.ParseDevice reads; "" is cpu
	Memory    int    // MiB that CUDA and TensorRT may take of the GPU; 0 is as many as are needed
	Precision string // Auto, FP32, FP16 or INT8: what classifiers compute in; "" is Auto
	Engines   string // folder of engines that TensorRT and OpenVINO built; "" keeps none

	// Child runs Probe in a process of its own: request in, answer out. Without, auto is the CPU, and a device that
	// is named is not tried first.
	Child func(ctx context.Context, request []byte) ([]byte, error)
	// Note hears what was skipped and taken, and why, in one line. None.
	Note func(text string)
}

// defaultEngines is the default folder of engines.
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

func (d Device) note(text string) {
	if d.Note != nil {
		d.Note(text)
	}
}

// with completes a device by the settings.
func (s Settings) with(on ort.Device) ort.Device {
	on.Memory, on.FP16, on.Engines, on.OnFallback = int64(s.Device.Memory)<<20, s.Device.Precision == FP16,
		s.Device.Engines, s.Fell
	return on
}

// use has the runtime run networks on the device that is set, which it chooses where that is open.
func (s Settings) use(loaded *ort.Runtime) error {
	if s.Device.Name == "" {
		s.Device.Name = "cpu"
	}
	on, err := s.pick(loaded)
	if err != nil {
		return err
	}
	if on.Provider == ort.TensorRT || on.Provider == ort.OpenVINO {
		if err := s.makeEngines(); err != nil {
			return err
		}
	}
	return s.explain(loaded.Use(s.with(on)))
}

func (s Settings) makeEngines() error {
	if s.Device.Engines == "" {
		return nil
	}
	if err := os.MkdirAll(s.Device.Engines, 0o755); err != nil {
		return field.Errorf("Engines", "%w; name a folder that can be written, or leave it empty to keep none", err)
	}
	return nil
}

// pick gives the device that is named, once it answered as a child's, or the fastest for auto.
func (s Settings) pick(loaded *ort.Runtime) (ort.Device, error) {
	ctx := context.Background()
	if s.Device.Name == Auto {
		if s.Device.Child == nil {
			return ort.Device{}, nil
		}
		providers, err := loaded.Providers()
		if err != nil {
			return ort.Device{}, err
		}
		look := func(d ort.Device) device.Findings { return device.Glance(s.Library, d) }
		choice := device.Choose(ctx, ort.Candidates(providers), look, s.probe)
		s.Device.note(strings.Join(choice.Notes, "; "))
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
	if err := loaded.Use(s.with(on)); err != nil { // before a child takes its time
		return on, s.explain(err)
	}
	return on, s.tryNamed(ctx, on)
}

// tryNamed has a child try the device, which tells a driver that crashes or hangs from one that works.
func (s Settings) tryNamed(ctx context.Context, on ort.Device) error {
	r, err := s.probe(ctx, on)
	if err != nil {
		return err
	}
	cpu, err := s.probe(ctx, ort.Device{})
	if err != nil {
		return field.Valuef("Device", on, "try the CPU, to compare with: %w", err)
	}
	if apart := r.Apart(cpu); apart != "" {
		s.Device.note(fmt.Sprintf("%s does not answer as the CPU does, and runs all the same, as it is named: %s", on,
			apart))
		return nil
	}
	s.Device.note(fmt.Sprintf("%s answers as the CPU does: %.3g ms for a detection and a batch, the CPU %.3g", on,
		r.Millis, cpu.Millis))
	return nil
}

// Limits of a probe. TensorRT builds an engine at its first start; a GPU that draws by software would take longer
// than the others' limit, and be no faster.
const (
	probeLimit      = 20 * time.Second
	namedProbeLimit = 2 * time.Minute
	buildLimit      = 10 * time.Minute
)

// probe is a device.Prober: a child's.
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
	var got answered
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
		return device.Report{}, device.Explain(on, device.Look(s.Library, on), err)
	}
	return got.Report, nil
}

// explain turns what the library says of a device into its cause and cure.
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
	return device.Explain(on, device.Look(s.Library, on), err)
}
