package ort

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mindflow/pipeline"
	"mindflow/pipeline/testkit"
)

func TestOpenRefuses(t *testing.T) {
	if _, err := Open(filepath.Join(t.TempDir(), "libonnxruntime.so.1")); err == nil ||
		!strings.Contains(err.Error(), "make build") {
		t.Errorf("a missing library: %v", err)
	}
	text := filepath.Join(t.TempDir(), "libonnxruntime.so.1")
	if err := os.WriteFile(text, []byte("not a library"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(text); err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("a text file: %v", err)
	}
	for found, ok := range map[string]bool{"1.27.0": true, "1.27.3": true, "1.26.0": false, "1.28.0": false,
		"2.27.0": false} {
		err := checkRelease("lib.so", found)
		if (err == nil) != ok {
			t.Errorf("release %s: %v", found, err)
		}
		if err != nil && !(strings.Contains(err.Error(), found) &&
			strings.Contains(err.Error(), "wanted 1.27.x")) {
			t.Errorf("release %s: %v does not name both releases", found, err)
		}
	}
}

func TestOpenOnceAndCloseLast(t *testing.T) {
	r := open(t)
	if !strings.HasPrefix(r.Version(), wantedRelease) {
		t.Errorf("version %q", r.Version())
	}
	if _, err := Open(testkit.ORTLibrary(t)); err == nil {
		t.Error("the runtime opened twice")
	}
	c, err := r.NewClassifier(danFile(t), entry(t, "dan-ferplus").Model, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Classify(t.Context(), nil, crops(2)); err != nil {
		t.Fatal(err)
	}
	if n := r.live.Load(); n != 4 { // a session, an input, two outputs
		t.Errorf("%d C objects, want 4", n)
	}
	if err := r.Close(); err == nil {
		t.Error("the runtime closed under a classifier")
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if n := r.live.Load(); n != 0 {
		t.Errorf("%d C objects are left", n)
	}
}

func TestProviders(t *testing.T) {
	list, err := open(t).Providers()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(list, "CPU") || slices.Contains(list, "") {
		t.Errorf("%q, want CPU among them", list)
	}
}

// Each difference between the manifest and the file is reported with the field to correct.
func TestManifestDisagreesWithFile(t *testing.T) {
	r := open(t)
	detect := func(m pipeline.Model) error {
		d, err := r.NewDetector(blazeFaceFile(t), m, 1)
		if err == nil {
			err = d.Close()
		}
		return err
	}
	classify := func(m pipeline.Model) error {
		c, err := r.NewClassifier(danFile(t), m, 1, 0)
		if err == nil {
			err = c.Close()
		}
		return err
	}
	disagree(t, []disagreement{
		{"blazeface-back", detect, func(*pipeline.Model) {}, nil},
		{"blazeface-back", detect, func(m *pipeline.Model) { m.Decoder = "haar" }, []string{"decoder", `"haar"`}},
		{"blazeface-back", detect, func(m *pipeline.Model) { m.Input.Name = "picture" },
			[]string{"input.name", `"picture"`, `"input:0"`}},
		{"blazeface-back", detect, func(m *pipeline.Model) { m.Input.Size = 128 },
			[]string{"input.size", "128", "256"}},
		{"blazeface-back", detect, func(m *pipeline.Model) { m.Input.Layout = pipeline.NCHW },
			[]string{"input.layout"}},
		{"blazeface-back", detect, func(m *pipeline.Model) { m.Outputs = m.Outputs[:3] },
			[]string{"outputs:", "2 of each kind"}},
		{"blazeface-back", detect, func(m *pipeline.Model) { m.Outputs[0], m.Outputs[1] = m.Outputs[1], m.Outputs[0] },
			[]string{"outputs[0]", "outputs[1]", "384", "512"}},
		{"blazeface-back", detect, func(m *pipeline.Model) { m.Input.Dynamic = true }, []string{"input.size", "256"}},
		{"dan-ferplus", classify, func(*pipeline.Model) {}, nil},
		{"dan-ferplus", classify, func(m *pipeline.Model) { m.Input.Size = 224 }, nil}, // any size will do
		{"dan-ferplus", classify, func(m *pipeline.Model) { m.Input.Channels = 1 }, []string{"input.channels"}},
		{"dan-ferplus", classify, func(m *pipeline.Model) { m.Labels = m.Labels[:7] }, []string{"labels", "7", "8",
			"outputs[0].slice", "[0, 7]"}},
		{"dan-ferplus", classify, func(m *pipeline.Model) { m.Outputs[0].Slice = &[2]int{1, 8} },
			[]string{"outputs[0].slice", "[1 8]", "8 values"}},
		{"dan-ferplus", classify, func(m *pipeline.Model) { m.Outputs[0].Slice = &[2]int{1, 9} },
			[]string{"outputs[0].slice", "a row of 8"}},
		{"dan-ferplus", classify, func(m *pipeline.Model) { m.Outputs[0].Slice = &[2]int{-1, 7} },
			[]string{"outputs[0].slice", "[-1 7]"}},
		{"dan-ferplus", classify, func(m *pipeline.Model) { m.Labels = nil }, []string{"labels"}},
		{"dan-ferplus", classify, func(m *pipeline.Model) { m.Outputs[1].Name = "gates" },
			[]string{"outputs[1].name", `"gates"`, `"attention"`}},
		{"dan-ferplus", classify, func(m *pipeline.Model) { m.Outputs = m.Outputs[1:] },
			[]string{"outputs", "kind logits"}},
	})
}

// The same for a dynamic network.
func TestManifestDisagreesWithDynamicFile(t *testing.T) {
	file, r := testkit.SharedFile(t, "models", "yunet_s_dynamic.onnx"), open(t)
	dynamic := func(m pipeline.Model) error {
		d, err := r.NewDetector(file, m, 1)
		if err == nil {
			err = d.Close()
		}
		return err
	}
	disagree(t, []disagreement{
		{"yunet", dynamic, func(*pipeline.Model) {}, nil},
		{"yunet", dynamic, func(m *pipeline.Model) { m.Input.Dynamic = false }, []string{"input.dynamic"}},
		{"yunet", dynamic, func(m *pipeline.Model) { m.Input.Channels, m.Input.Colour = 1, pipeline.Grey },
			[]string{"input.channels", "[-1 3 -1 -1]"}},
		{"yunet", dynamic, func(m *pipeline.Model) { m.Outputs[0].Name = "cls_4" },
			[]string{"outputs[0].name", `"cls_4"`, `"cls_8"`}},
		{"yunet", dynamic, func(m *pipeline.Model) { m.Outputs[9].Kind, m.Outputs[6].Kind = "boxes", "points" },
			[]string{"outputs[6]", "4", "10"}},
		{"yunet", dynamic, func(m *pipeline.Model) { m.Outputs = m.Outputs[1:] },
			[]string{"outputs:", "3 of each kind"}},
	})
}

// disagreement is a change of a manifest entry that its file does not fit.
type disagreement struct {
	entry  string
	load   func(pipeline.Model) error
	change func(*pipeline.Model)
	want   []string // in the error; none: it loads
}

func disagree(t *testing.T, cases []disagreement) {
	t.Helper()
	for _, c := range cases {
		m := entry(t, c.entry).Model
		c.change(&m)
		err := c.load(m)
		if c.want == nil && err != nil {
			t.Errorf("%s: %v", c.entry, err)
		}
		for _, part := range c.want {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%s: error %v does not name %s", c.entry, err, part)
			}
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	r := open(t)
	m := entry(t, "dan-ferplus").Model
	if _, err := r.NewClassifier(danFile(t), m, 0, 0); err == nil || !strings.Contains(err.Error(), "threads") {
		t.Errorf("no threads: %v", err)
	}
	broken := filepath.Join(t.TempDir(), "broken.onnx")
	if err := os.WriteFile(broken, []byte("not a network"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := r.NewClassifier(broken, m, 1, 0); err == nil || !strings.Contains(err.Error(), broken) {
		t.Errorf("a broken file: %v", err)
	}
}
