package ort

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"mindflow/models/onnx"
	"mindflow/pipeline"
	"mindflow/pipeline/testkit"
)

// means is a classifier that returns each channel's mean: [n,3,8,8] → [n,3]. With bounds it returns 7, and fails, as
// ONNX Runtime's Gather does, where a mean is outside -5 to 4.
func means(t *testing.T, name string, bounded bool) (file string, m pipeline.Model) {
	t.Helper()
	nodes := []onnx.Node{
		{Op: "GlobalAveragePool", Name: "pool", Inputs: []string{"pixels"}, Outputs: []string{"pooled"}},
		{Op: "Flatten", Name: "flatten", Inputs: []string{"pooled"}, Outputs: []string{"means"}},
	}
	last := onnx.Node{Op: "Add", Name: "last", Inputs: []string{"means", "nothing"}, Outputs: []string{"scores"}}
	weights := []onnx.Tensor{onnx.NewFloat32("nothing", []int64{1}, []float64{0})}
	if bounded {
		nodes = append(nodes, onnx.Node{Op: "Cast", Name: "cast", Inputs: []string{"means"}, Outputs: []string{"index"},
			Attributes: []onnx.Attribute{onnx.Int("to", int64(onnx.Int64))}})
		last = onnx.Node{Op: "Gather", Name: "last", Inputs: []string{"sevens", "index"}, Outputs: []string{"scores"}}
		weights = []onnx.Tensor{onnx.NewFloat32("sevens", []int64{5}, []float64{7, 7, 7, 7, 7})}
	}
	n := onnx.Dim{Free: "n"}
	model := onnx.Model{IRVersion: 8, Opset: 17, Producer: "test", Graph: onnx.Graph{
		Name: name, Nodes: append(nodes, last), Initializers: weights,
		Inputs:  []onnx.Value{{Name: "pixels", Dims: []onnx.Dim{n, {Size: 3}, {Size: 8}, {Size: 8}}}},
		Outputs: []onnx.Value{{Name: "scores", Dims: []onnx.Dim{n, {Size: 3}}}},
	}}
	file = filepath.Join(t.TempDir(), name+".onnx")
	if err := os.WriteFile(file, model.Marshal(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, pipeline.Model{
		Name: name, Decoder: "plain", Labels: []string{"a", "b",
			"c"}, Temperature: 1, Crop: &pipeline.CropRule{Scale: 1},
		Input: pipeline.Input{Name: "pixels", Size: 8, Layout: pipeline.NCHW, Colour: pipeline.RGB, Channels: 3,
			Scale: 1, Std: [3]float32{1, 1, 1}},
		Outputs: []pipeline.Output{{Name: "scores", Kind: pipeline.Logits}},
	}
}

// level returns a crop of one value.
func level(v float32) pipeline.Crop {
	values := make([]float32, 3*8*8)
	for i := range values {
		values[i] = v
	}
	return pipeline.Crop{Values: values}
}

// fallbacks records the calls of OnFallback.
type fallbacks struct {
	mu   sync.Mutex
	list []string
}

func (f *fallbacks) add(network, provider string, why error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = append(f.list, network+" on "+provider+": "+why.Error())
}

func (f *fallbacks) all() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.list)
}

// accelerated loads a classifier as on an accelerator, for which ONNX Runtime's CPU with another network stands in.
func accelerated(
	t *testing.T, provider string, f *fallbacks, file string, m pipeline.Model, standIn string,
) (*Runtime, *Classifier) {
	t.Helper()
	r := open(t)
	p := plan{name: "stand-in", path: standIn, input: "pixels", outputs: []string{"scores"}, threads: 1}
	instead, err := r.load(p, Device{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := r.NewClassifier(file, m, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	r.device = Device{Provider: provider, OnFallback: f.add}
	r.live.Add(-1)
	if err := c.session.net.Destroy(); err != nil {
		t.Fatal(err)
	}
	c.session.net = instead
	return r, c
}

// A batch that fails on the accelerator runs on the CPU, and so do all later ones. OnFallback is called once.
func TestLostAcceleratorIsReplacedByTheCPU(t *testing.T) {
	for _, d := range devices {
		if d.provider != CPU {
			t.Run(d.name, func(t *testing.T) { lose(t, d.name, d.provider) })
		}
	}
}

func lose(t *testing.T, device, provider string) {
	standIn, _ := means(t, "stand-in", true)
	file, m := means(t, "means", false)
	var said fallbacks
	r, c := accelerated(t, provider, &said, file, m, standIn)
	see := func(v, want float32) {
		t.Helper()
		scores, err := c.Classify(t.Context(), nil, []pipeline.Crop{level(v), level(v)})
		if err != nil || len(scores) != 2 || !slices.Equal(scores[1].Logits, []float32{want, want, want}) {
			t.Errorf("%v for %v, %v", scores, v, err)
		}
	}
	see(1, 7) // of the stand-in
	if len(r.Degraded()) > 0 || len(said.all()) > 0 {
		t.Error(r.Degraded(), said.all())
	}
	var work sync.WaitGroup
	for range 4 { // all of them fail on the device
		work.Add(1)
		go func() {
			defer work.Done()
			see(100, 100)
		}()
	}
	work.Wait()
	see(1, 1) // of the CPU, though the accelerator would not fail
	if why := r.Degraded()["means"]; len(r.Degraded()) != 1 || !strings.HasPrefix(why, device+" failed") {
		t.Error(r.Degraded())
	}
	list := said.all()
	if len(list) != 1 || !strings.Contains(list[0], "means on "+device+": ") ||
		!strings.Contains(list[0], "out of data bounds") {
		t.Errorf("%q", list)
	}
}

// An input that the CPU cannot run either is an error of its caller, and the accelerator stays in use.
func TestBadInputDoesNotCostTheAccelerator(t *testing.T) {
	standIn, _ := means(t, "stand-in", true)
	file, m := means(t, "means", true)
	var said fallbacks
	r, c := accelerated(t, CUDA, &said, file, m, standIn)
	for range 3 {
		if _, err := c.Classify(t.Context(), nil, []pipeline.Crop{level(100)}); err == nil {
			t.Error("it was classifierOutputs")
		}
	}
	if _, err := c.Classify(t.Context(), nil, []pipeline.Crop{level(1)}); err != nil {
		t.Error(err)
	}
	if c.session.onCPU.Load() != nil || len(r.Degraded()) > 0 || len(said.all()) > 0 {
		t.Error(r.Degraded(), said.all())
	}
}

// An accelerator that the library lists and the machine lacks is an error, or falls back to the CPU where that is
// allowed.
func TestAbsentAccelerator(t *testing.T) {
	file, m := means(t, "means", false)
	r := open(t)
	var said fallbacks
	var without *NoProviderError
	if err := r.Use(Device{Provider: CUDA, OnFallback: said.add}); errors.As(err, &without) {
		t.Skip(err)
	}
	c, err := r.NewClassifier(file, m, 1, 0)
	if err == nil {
		t.Skip("this machine has CUDA", c.Close())
	}
	var failed *DeviceError
	if !errors.As(err, &failed) || failed.Device.Provider != CUDA || failed.Network != "means" || len(said.all()) > 0 {
		t.Error(err, said.all())
	}
	if n := r.live.Load(); n != 0 {
		t.Errorf("%d C objects are left", n)
	}
	if err := r.Use(Device{Provider: CUDA, OnFallback: said.add, AllowFallback: true}); err != nil {
		t.Fatal(err)
	}
	if c, err = r.NewClassifier(file, m, 1, 0); err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	scores, err := c.Classify(t.Context(), nil, []pipeline.Crop{level(3)})
	if err != nil || scores[0].Logits[0] != 3 || r.Degraded()["means"] == "" || len(said.all()) != 1 {
		t.Error(scores, err, r.Degraded(), said.all())
	}
}

// A file that the CPU cannot load either is not an error of the device.
func TestBrokenFileIsNoDeviceError(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "broken.onnx")
	if err := os.WriteFile(broken, []byte("not a network"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := open(t)
	if err := r.Use(Device{Provider: CUDA}); err != nil {
		t.Skip(err)
	}
	_, err := r.NewNetwork(broken, "pixels", []string{"scores"}, 1)
	var failed *DeviceError
	if err == nil || errors.As(err, &failed) {
		t.Error(err)
	}
}

func TestParseDevice(t *testing.T) {
	for text, want := range map[string]Device{
		"cpu": {Provider: CPU}, "cuda": {Provider: CUDA}, "cuda:0": {Provider: CUDA},
		"cuda:3": {Provider: CUDA, Index: 3}, "tensorrt:1": {Provider: TensorRT, Index: 1},
		"webgpu": {Provider: WebGPU}, "openvino": {Provider: OpenVINO}, "coreml": {Provider: CoreML},
	} {
		got, err := ParseDevice(text)
		if err != nil || got.Provider != want.Provider || got.Index != want.Index {
			t.Errorf("%s: %v, %v", text, got, err)
		}
		if again, err := ParseDevice(got.String()); err != nil || again.String() != got.String() {
			t.Errorf("%s: read back as %v, %v", got, again, err)
		}
	}
	for _, text := range []string{"", "CUDA", "gpu", "cpu:0", "webgpu:1", "cuda:", "cuda:x", "cuda:-1", "cuda:64",
		"auto"} {
		if d, err := ParseDevice(text); err == nil || !strings.Contains(err.Error(), "use ") {
			t.Errorf("%q: %v, %v", text, d, err)
		}
	}
}

func TestCandidates(t *testing.T) {
	var names []string
	for _, d := range Candidates([]string{"CPU", "WebGpu", "Abacus", "Tensorrt", "CUDA"}) {
		names = append(names, d.String())
	}
	if !slices.Equal(names, []string{"tensorrt", "cuda", "webgpu"}) {
		t.Error(names)
	}
}

func TestProviderThatTheLibraryLacks(t *testing.T) {
	_, err := OpenOn(testkit.ORTLibrary(t), Device{Provider: CoreML})
	var without *NoProviderError
	if !errors.As(err, &without) || !slices.Contains(without.Has, "cpu") || !strings.Contains(err.Error(), "coreml") {
		t.Error(err)
	}
	if r := open(t); r.Device().Provider != CPU { // it is not open any more
		t.Error(r.Device())
	}
}
