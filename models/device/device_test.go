package device

import (
	"context"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mindflow/pipeline/ort"
	"mindflow/pipeline/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

var (
	cuda     = ort.Device{Provider: ort.CUDA}
	tensorrt = ort.Device{Provider: ort.TensorRT}
	webgpu   = ort.Device{Provider: ort.WebGPU}
)

func answer(millis float64, p float32) Report {
	return Report{Millis: millis, Scores: [][]float32{{p, 1 - p}}, Boxes: [][]float32{{0.1, 0.2, 0.3, 0.4, 0.9}}}
}

// present is a machine that has everything.
func present(ort.Device) Findings { return Findings{Node: true, Drivers: []string{"icd.json"}} }

func TestChoose(t *testing.T) {
	all := []ort.Device{tensorrt, cuda, webgpu}
	type outcome struct {
		Report
		err error
	}
	for _, c := range []struct {
		name  string
		look  func(ort.Device) Findings
		says  map[string]outcome
		want  string
		notes []string // parts of them, in order
	}{
		{"nothing there", func(ort.Device) Findings { return Findings{} }, nil, "cpu",
			[]string{"tensorrt skipped: no NVIDIA GPU", "cuda skipped: no NVIDIA GPU", "webgpu skipped: no GPU",
				"cpu taken"}},
		{"the fastest", present,
			map[string]outcome{"cpu": {answer(20, 0.5), nil}, "tensorrt": {answer(3, 0.5), nil},
				"cuda": {answer(2, 0.505), nil}, "webgpu": {answer(5, 0.5), nil}}, "cuda",
			[]string{"tensorrt skipped: 3 ms", "webgpu skipped: 5 ms",
				"cuda taken: 2 ms for a detection and a batch, the CPU 20"}},
		{"the fastest is wrong", present,
			map[string]outcome{"cpu": {answer(20, 0.5), nil}, "tensorrt": {answer(1, 0.6), nil},
				"cuda": {answer(2, 0.5), nil}, "webgpu": {answer(30, 0.5), nil}}, "cuda",
			[]string{"tensorrt skipped: a probability is 0.1", "webgpu skipped: 30 ms", "cuda taken"}},
		{"no numbers", present,
			map[string]outcome{"cpu": {answer(20, 0.5), nil}, "tensorrt": {answer(1, float32(math.NaN())), nil},
				"cuda": {answer(2, 0.5), nil}, "webgpu": {Report{Millis: 1}, nil}}, "cuda",
			[]string{"tensorrt skipped: a probability is NaN", "webgpu skipped: it finds 0 faces", "cuda taken"}},
		{"slower than the CPU", present,
			map[string]outcome{"cpu": {answer(2, 0.5), nil}, "tensorrt": {answer(2, 0.5), nil},
				"cuda": {answer(9, 0.5), nil}, "webgpu": {answer(9, 0.5), nil}}, "cpu",
			[]string{"tensorrt skipped: 2 ms", "cuda skipped", "webgpu skipped", "cpu taken"}},
		{"all fail", present,
			map[string]outcome{"cpu": {answer(2, 0.5), nil}, "tensorrt": {err: &Fault{Cause: "too old"}},
				"cuda": {err: errors.New("it gave no answer in time")}, "webgpu": {err: errors.New("crash")}}, "cpu",
			[]string{"tensorrt skipped: too old", "cuda skipped: it gave no answer in time", "webgpu skipped: crash",
				"cpu taken"}},
		{"not even the CPU", present, map[string]outcome{"cpu": {err: errors.New("no model")}}, "cpu",
			[]string{"no model"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Choose(t.Context(), all, c.look, func(_ context.Context, d ort.Device) (Report, error) {
				o, asked := c.says[d.String()]
				if !asked {
					t.Errorf("%s was tried", d)
				}
				return o.Report, o.err
			})
			if got.Device.String() != c.want {
				t.Errorf("%s, want %s: %q", got.Device, c.want, got.Notes)
			}
			if len(got.Notes) != len(c.notes) {
				t.Fatalf("%q", got.Notes)
			}
			for i, part := range c.notes {
				if !strings.Contains(got.Notes[i], part) {
					t.Errorf("%q, want %q", got.Notes[i], part)
				}
			}
		})
	}
}

func TestExplain(t *testing.T) {
	provider := filepath.Join(t.TempDir(), "libonnxruntime_providers_cuda.so") // that is no library
	said := func(text string) error { return errors.New(text) }
	for _, c := range []struct {
		name        string
		device      ort.Device
		found       Findings
		err         error
		cause, cure string
	}{
		{"other library", cuda, Findings{},
			&ort.NoProviderError{Device: cuda, Library: "lib.so", Has: []string{"cpu", "webgpu"}},
			"lib.so is built without it, for cpu, webgpu only", "make gpu"},
		{"other library for WebGPU", webgpu, Findings{},
			&ort.NoProviderError{Device: webgpu, Library: "lib.so", Has: []string{"cpu"}}, "built without it",
			"make build"},
		{"no provider's file", cuda, Findings{Library: "lib.so", ProviderFile: provider, NoProvider: true},
			said("Failed to load shared library"), "there is no libonnxruntime_providers_cuda.so beside lib.so",
			"make gpu"},
		{"no driver", cuda, Findings{Missing: []string{"libcublas.so.13", "libcuda.so.1"}},
			said("Failed to load shared library"),
			"no NVIDIA driver: libcuda.so.1 cannot be loaded, nor can libcublas.so.13", "driver 580 or newer"},
		{"no CUDA", cuda, Findings{Missing: []string{"libcublas.so.13"}, Driver: "580.65.06", Node: true},
			said("Failed to load shared library"), "missing libcublas.so.13", "make gpu CUDA=yes"},
		{"no TensorRT", tensorrt,
			Findings{Missing: []string{"libnvinfer.so.10", "libnvonnxparser.so.10"}, Driver: "580.65.06", Node: true},
			said("Failed to load shared library"), "TensorRT is not there: missing libnvinfer.so.10",
			"or use device cuda"},
		{"old driver", cuda, Findings{Driver: "535.104.05", Node: true},
			said("CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version"),
			"535.104.05 is too old", "580"},
		{"no GPU", cuda, Findings{Driver: "580.65.06", Node: true},
			said("CUDA failure 100: no CUDA-capable device is detected"), "shows no GPU", "nvidia-smi"},
		{"no such GPU", ort.Device{Provider: ort.CUDA, Index: 3}, Findings{Driver: "580.65.06", Node: true},
			said("CUDA failure 101: invalid device ordinal"), "no GPU 3", "nvidia-smi -L"},
		{"full", cuda, Findings{Driver: "580.65.06", Node: true}, said("CUDA failure 2: out of memory"),
			"memory is full", "smaller batches"},
		{"unknown", cuda, Findings{Driver: "580.65.06", Node: true}, said("something\n else"), "something else",
			"or use device cpu"},
		{"no WebGPU in it", webgpu, Findings{Library: "lib.so"},
			said("WebGPU execution provider is not supported in this build."), "lib.so is built without it",
			"make build"},
		{"no loader", webgpu, Findings{Loader: said("libvulkan.so.1: no such file")}, said("No supported adapters"),
			"loader is not there: libvulkan.so.1", "libvulkan1"},
		{"no Vulkan driver", webgpu, Findings{}, said("Failed to get a WebGPU adapter: No supported adapters"),
			"no Vulkan driver is installed", "mesa-vulkan-drivers"},
		{"no adapter", webgpu, Findings{Drivers: []string{"lvp_icd.json"}},
			said("Failed to get a WebGPU adapter: No supported adapters"),
			"no Vulkan driver gives a GPU that WebGPU can use: lvp_icd.json", "vulkaninfo"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := Explain(c.device, c.found, c.err)
			if !strings.Contains(f.Cause, c.cause) || !strings.Contains(f.Cure, c.cure) ||
				strings.Contains(f.Cure, ";") || strings.Contains(f.Error(), "\n") {
				t.Errorf("%v", f)
			}
			if !errors.Is(f, c.err) {
				t.Error("the library's words are lost")
			}
		})
	}
}

func TestWanted(t *testing.T) {
	if got := Releases([]string{"libc.so.6", "libcudnn.so.9", "libcudart.so.13",
		"libnvinfer.so.10"}); got != "CUDA 13, cuDNN 9, TensorRT 10" {
		t.Error(got)
	}
}

// shell is a child that is played by a shell's script.
func shell(ctx context.Context, script string) ([]byte, error) {
	return runChild(ctx, exec.CommandContext(ctx, "sh", "-c", script), []byte("request"))
}

func TestChild(t *testing.T) {
	got, err := shell(t.Context(), "echo noise; echo more >&2; cat >&3")
	if err != nil || string(got) != "request" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := shell(t.Context(), "echo the driver is upset >&2; kill -SEGV $$"); err == nil ||
		!strings.Contains(err.Error(), "segmentation fault") || !strings.Contains(err.Error(), "the driver is upset") {
		t.Error(err)
	}
	limited, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	if _, err := shell(limited, "exec sleep 100"); err == nil || !strings.Contains(err.Error(), "no answer in time") {
		t.Error(err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := shell(ended, "exec sleep 100"); err == nil {
		t.Error("it was asked when all is over")
	}
	if _, err := runChild(t.Context(), exec.Command(filepath.Join(t.TempDir(), "nothing")), nil); !errors.Is(err,
		os.ErrNotExist) {
		t.Error(err)
	}
}
