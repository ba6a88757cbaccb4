package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mindflow/models"
	"mindflow/models/onnx"
	"mindflow/pipeline"
	"mindflow/pipeline/testkit"
	"mindflow/pipeline/vision"
)

// meanColours is a classifier of the mean of each channel: [n,3,8,8] → [n,3], by one layer whose weights are the unit
// matrix times ten. Like many users' networks it has one input and one output. With probabilities the softmax is part
// of it; batch 0 means any.
func meanColours(probabilities bool, batch int64) *onnx.Model {
	n := onnx.Dim{Size: batch}
	if batch == 0 {
		n = onnx.Dim{Free: "n"}
	}
	unit := []float64{10, 0, 0, 0, 10, 0, 0, 0, 10}
	nodes := []onnx.Node{
		{Op: "GlobalAveragePool", Name: "pool", Inputs: []string{"pixels"}, Outputs: []string{"pooled"}},
		{Op: "Flatten", Name: "flatten", Inputs: []string{"pooled"}, Outputs: []string{"means"}},
		{Op: "MatMul", Name: "layer", Inputs: []string{"means", "weights"}, Outputs: []string{"scores"}},
	}
	output := "scores"
	if probabilities {
		output = "chances"
		nodes = append(nodes,
			onnx.Node{Op: "Softmax", Name: "softmax", Inputs: []string{"scores"}, Outputs: []string{output},
				Attributes: []onnx.Attribute{onnx.Int("axis", 1)}})
	}
	return &onnx.Model{IRVersion: 8, Opset: 17, Producer: "test", Graph: onnx.Graph{
		Name: "mean-colours", Nodes: nodes,
		Initializers: []onnx.Tensor{onnx.NewFloat32("weights", []int64{3, 3}, unit)},
		Inputs:       []onnx.Value{{Name: "pixels", Dims: []onnx.Dim{n, {Size: 3}, {Size: 8}, {Size: 8}}}},
		Outputs:      []onnx.Value{{Name: output, Dims: []onnx.Dim{n, {Size: 3}}}},
	}}
}

// plainEntry returns the entry that a user writes for meanColours.
func plainEntry(file []byte, output, kind string) models.Entry {
	sum := sha256.Sum256(file)
	return models.Entry{
		Model: pipeline.Model{
			Name: "mean-colours", Decoder: "plain",
			Input: pipeline.Input{Name: "pixels", Size: 8, Layout: pipeline.NCHW, Colour: pipeline.RGB, Channels: 3,
				Scale: 1.0 / 255, Std: [3]float32{1, 1, 1}},
			Crop:    &pipeline.CropRule{Scale: 1},
			Outputs: []pipeline.Output{{Name: output, Kind: kind}},
			Labels:  []string{"red", "green", "blue"}, Temperature: 1,
		},
		Role: models.Classify, Format: "onnx", File: "mean-colours.onnx",
		SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(file)),
		Source: "a test", Licence: "MIT", TrainingData: "none",
	}
}

// settings returns settings with the user's models in dir and the shipped ones where "make build" puts them.
func settings(t *testing.T, dir string) Settings {
	t.Helper()
	bin := filepath.Join("..", "..", "bin")
	manifest, err := models.Default()
	if err != nil {
		t.Fatal(err)
	}
	detector, err := manifest.Lookup("blazeface-back")
	if err != nil {
		t.Fatal(err)
	}
	blazeface := testkit.File(t, filepath.Join(bin, "models", detector.File), `run "make build"`)
	absolute, err := filepath.Abs(blazeface)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(absolute, filepath.Join(dir, detector.File)); err != nil && !errors.Is(err, fs.ErrExist) {
		t.Fatal(err)
	}
	return Settings{Models: dir, Library: testkit.ORTLibrary(t), Detector: detector.Name,
		Classifiers: []string{"mean-colours"}, Threads: 1, MaxFaces: 16}
}

// add puts a model into dir like a user: its file and its entry.
func add(t *testing.T, dir string, file []byte, e models.Entry) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, e.File), file, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := models.WriteEntry(dir, e); err != nil {
		t.Fatal(err)
	}
}

// photograph returns a photograph of four faces, from a package that the browser tests install.
func photograph(t *testing.T) *pipeline.Frame {
	t.Helper()
	path := filepath.Join("..", "..", "node_modules/@vladmandic/face-api/demo/sample6.jpg")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		t.Skipf(`%s is not there; run "make test", which installs it`, path)
	}
	picture, err := vision.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := picture.Close(); err != nil {
			t.Error(err)
		}
	})
	f, err := picture.Frame()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// A user's classifier needs a file and an entry, and no code.
func TestPlainClassifier(t *testing.T) {
	f := photograph(t)
	var first []pipeline.Label
	for _, c := range []struct {
		name, output, kind string
		batch              int64
	}{
		{"logits", "scores", pipeline.Logits, 0},
		{"probabilities", "chances", pipeline.Probabilities, 0},
		{"one picture at a time", "scores", pipeline.Logits, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			file := meanColours(c.kind == pipeline.Probabilities, c.batch).Marshal()
			add(t, dir, file, plainEntry(file, c.output, c.kind))
			e, err := Open(settings(t, dir))
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := e.Close(); err != nil {
					t.Error(err)
				}
			}()
			var m pipeline.Message
			if err := e.NewAnalyzer().Analyze(context.Background(), &m, f); err != nil {
				t.Fatal(err)
			}
			if len(m.Faces) != 4 || m.Model != "mean-colours" {
				t.Fatalf("%s: %d faces", m.Model, len(m.Faces))
			}
			for i, face := range m.Faces {
				if face.Label != "red" || face.Confidence < 0.4 || len(face.Scores) != 3 { // skin is
					t.Errorf("a face is %s: %v", face.Label, face.Scores)
				}
				if first != nil && !near(face.Scores, first[i].Scores) {
					t.Errorf("scores %v, with logits for any number of pictures %v", face.Scores, first[i].Scores)
				}
			}
			if first == nil {
				first = m.Faces
			}
		})
	}
}

func near(a, b []float32) bool {
	for i := range a {
		if d := a[i] - b[i]; d > 1e-4 || d < -1e-4 {
			return false
		}
	}
	return len(a) == len(b)
}

// Every difference between entry and file is an error with the field to correct.
func TestPlainFaults(t *testing.T) {
	file := meanColours(false, 0).Marshal()
	for _, c := range []struct {
		name   string
		change func(*models.Entry)
		want   []string // in the error
	}{
		{"labels", func(e *models.Entry) { e.Labels = append(e.Labels, "grey") },
			[]string{"labels:", "[-1 3]", "[-1 4]"}},
		{"input name", func(e *models.Entry) { e.Input.Name = "x" }, []string{"input.name:", `"x"`, `"pixels"`}},
		{"output name", func(e *models.Entry) { e.Outputs[0].Name = "x" },
			[]string{"outputs[0].name:", `"x"`, `"scores"`}},
		{"layout", func(e *models.Entry) { e.Input.Layout = pipeline.NHWC }, []string{"input.layout:", "[-1 3 8 8]"}},
		{"size", func(e *models.Entry) { e.Input.Size = 9 }, []string{"input.size", "[-1 3 8 8]", "[-1 3 9 9]"}},
		{"kind", func(e *models.Entry) { e.Outputs[0].Kind = pipeline.AttentionMaps },
			[]string{"outputs:", "logits or probabilities"}},
		{"sum", func(e *models.Entry) { e.SHA256 = strings.Repeat("0", 64) }, []string{"sha256", "in its entry"}},
		{"size of the file", func(e *models.Entry) { e.Bytes++ }, []string{"bytes", "in its entry"}},
		{"attention", func(e *models.Entry) {
			e.Outputs = append(e.Outputs, pipeline.Output{Name: "scores", Kind: pipeline.AttentionMaps})
		}, []string{"outputs[1]", "[n, heads, height, width]"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			e := plainEntry(file, "scores", pipeline.Logits)
			c.change(&e)
			add(t, dir, file, e)
			opened, err := Open(settings(t, dir))
			if err == nil {
				t.Fatal("it was opened", opened.Close())
			}
			for _, want := range append(c.want, "mean-colours") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
		})
	}
	t.Run("batch", func(t *testing.T) {
		dir := t.TempDir()
		five := meanColours(false, 5).Marshal()
		add(t, dir, five, plainEntry(five, "scores", pipeline.Logits))
		if e, err := Open(settings(t, dir)); err == nil || !strings.Contains(err.Error(), "any number") {
			t.Errorf("%v, %v", e, err)
		}
	})
}

// One server may offer several models, each loaded once.
func TestSeveralClassifiers(t *testing.T) {
	dir := t.TempDir()
	file := meanColours(false, 0).Marshal()
	for _, name := range []string{"mean-colours", "again"} {
		e := plainEntry(file, "scores", pipeline.Logits)
		e.Name, e.File = name, name+".onnx"
		add(t, dir, file, e)
	}
	s := settings(t, dir)
	s.Classifiers = []string{"again", "mean-colours"}
	e, err := Open(s)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	if len(e.Analyses) != 2 || e.Analysis.Model.Name != "again" || e.Analyses[1].Model.Name != "mean-colours" {
		t.Errorf("%d analyses, the first with %s", len(e.Analyses), e.Analysis.Model.Name)
	}
	if e, err := Open(s.WithFirstClassifier()); err == nil { // ONNX Runtime is open already
		t.Error("opened twice", e.Close())
	}
}
