package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"mindflow/models"
	"mindflow/models/device"
	"mindflow/pipeline/ort"
)

// shipped returns settings with the models that "make build" puts in place.
func shipped(t *testing.T) Settings {
	t.Helper()
	s := settings(t, t.TempDir())
	s.Classifiers = []string{"dan-ferplus"}
	manifest, err := models.Default()
	if err != nil {
		t.Fatal(err)
	}
	entry, err := manifest.Lookup("dan-ferplus")
	if err != nil {
		t.Fatal(err)
	}
	s.Models = "../../bin/models"
	if Locate(s.Models, entry) == "" {
		t.Skip(`the models are not there; run "make build"`)
	}
	return s
}

// The probe of the CPU gives the same answers each time.
func TestProbe(t *testing.T) {
	s := shipped(t)
	cpu := asked(t, s.request(ort.Device{}, probeLimit))
	if cpu.Cause != "" || len(cpu.Boxes) != 1 || len(cpu.Scores) != 1 || len(cpu.Scores[0]) != 8 || cpu.Millis <= 0 {
		t.Fatalf("%+v", cpu)
	}
	again := asked(t, s.request(ort.Device{}, probeLimit))
	if apart := again.Difference(cpu.Report); apart != "" {
		t.Error(apart)
	}
	lost := asked(t, s.request(ort.Device{Provider: ort.CoreML}, probeLimit))
	if !strings.Contains(lost.Cause, "built without it") || lost.Cure == "" {
		t.Errorf("%+v", lost)
	}
}

func asked(t *testing.T, r probeRequest) (got probeAnswer) {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Probe(t.Context(), bytes.NewReader(text), &out, nil); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	return got
}

// A named device that is missing fails the start, with what to do; auto starts on the CPU, without a child, where no
// device can be there.
func TestDeviceThatIsNotThere(t *testing.T) {
	s := shipped(t)
	s.Device.Child = func(context.Context, []byte) ([]byte, error) { return nil, errors.New("it was asked") }
	if len(device.Inspect(s.Library, ort.Device{Provider: ort.WebGPU}).Drivers) > 0 {
		t.Skip("this machine has a Vulkan driver")
	}
	var notes []string
	s.Device.Log = func(text string) { notes = append(notes, text) }
	s.Device.Name = Auto
	e, err := Open(s)
	if err != nil {
		t.Fatal(err)
	}
	if e.Device() != "cpu" || strings.Contains(strings.Join(notes, ""), "asked") ||
		!strings.Contains(strings.Join(notes, ""), "cpu taken") {
		t.Error(e.Device(), notes)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	s.Device.Child = nil
	for _, name := range []string{"cuda", "tensorrt", "openvino", "coreml"} {
		s.Device.Name = name
		e, err := Open(s)
		if err == nil {
			t.Skip("this machine has "+name, e.Close())
		}
		var fault *device.Fault
		if !errors.As(err, &fault) || !strings.HasPrefix(err.Error(), name+": ") ||
			!strings.Contains(err.Error(), "; ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A child's failure is an error with its cause and cure.
func TestChildAnswers(t *testing.T) {
	s := shipped(t)
	s.Device.Name = "cuda"
	for _, c := range []struct {
		answer string
		err    error
		want   string
	}{
		{`{"cause":"no such GPU","cure":"buy one"}`, nil, "cuda: no such GPU; buy one"},
		{"", errors.New("the process that tried it ended: signal: segmentation fault"), "cuda: "},
		{"{", nil, "cuda: "},
	} {
		s.Device.Child = func(context.Context, []byte) ([]byte, error) { return []byte(c.answer), c.err }
		e, err := Open(s)
		if err == nil {
			t.Fatal("it opened", e.Close())
		}
		if !strings.HasPrefix(err.Error(), c.want) {
			t.Error(err)
		}
	}
}

func TestDeviceSettings(t *testing.T) {
	for _, c := range []struct {
		device Device
		want   string // in the error; "" none
	}{
		{Device{}, ""}, {Device{Name: Auto}, ""}, {Device{Name: "cuda:2", Memory: 4096, Precision: "fp16"}, ""},
		{Device{Name: "abacus"}, "Device abacus: use auto"},
		{Device{Memory: -1}, "GPUMemory -1"},
		{Device{Precision: "fp8"}, "Precision fp8"},
	} {
		err := c.device.check()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: %v", c.device, err)
		}
	}
}
