package main

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mindflow/cmd/mindflow/internal/clitest"
	"mindflow/models"
	"mindflow/models/evaluate"
	"mindflow/pipeline"
)

// portrait returns a photograph of faces, and the label that `image` prints for the surest.
func portrait(t *testing.T) (file, label string) {
	t.Helper()
	file = clitest.Portrait(t)
	var out bytes.Buffer
	args := slices.Concat([]string{"image", file, "--json", "--max-faces", "1"}, clitest.EngineArgs(t))
	if err := run(t.Context(), args, &out); err != nil {
		t.Fatal(err)
	}
	var picture struct{ Faces []pipeline.Label }
	if err := json.Unmarshal(out.Bytes(), &picture); err != nil {
		t.Fatal(err)
	}
	return file, picture.Faces[0].Label
}

// evaluated runs `mindflow eval --json`.
func evaluated(t *testing.T, args ...string) (r evaluate.Result, keys map[string]json.RawMessage) {
	t.Helper()
	var out bytes.Buffer
	if err := run(t.Context(), append(append([]string{"eval", "--json"}, clitest.EngineArgs(t)...), args...),
		&out); err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{&r, &keys} {
		if err := json.Unmarshal(out.Bytes(), v); err != nil {
			t.Fatal(err)
		}
	}
	return r, keys
}

// twins returns a folder of the shipped models and one model "twin" of the user's, with the weights of the default.
func twins(t *testing.T) string {
	t.Helper()
	shipped, dir := clitest.EngineArgs(t)[1], t.TempDir()
	files, err := os.ReadDir(shipped)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if err := os.Symlink(filepath.Join(shipped, f.Name()), filepath.Join(dir, f.Name())); err != nil {
			t.Fatal(err)
		}
	}
	manifest, err := models.Default()
	if err != nil {
		t.Fatal(err)
	}
	twin, err := manifest.Lookup("dan-ferplus")
	if err != nil {
		t.Fatal(err)
	}
	twin.Name = "twin"
	if err := models.WriteEntry(dir, twin); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestEval: `eval` finds through the detector what `image` finds, and names what it cannot use.
func TestEval(t *testing.T) {
	file, label := portrait(t)
	photo, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	other := map[bool]string{true: "sadness", false: "Happiness"}[label == "happy"]
	clitest.WriteFile(t, dir, strings.ToUpper(label)+"/right.jpg", photo)
	clitest.WriteFile(t, dir, other+"/wrong.jpg", photo)

	plot := filepath.Join(t.TempDir(), "matrix.png")
	r, keys := evaluated(t, dir, "--via", "detector", "--models", twins(t), "--vs", "twin", "--plot", plot)
	if r.N != 2 || r.Accuracy != 0.5 || r.MacroRecall != 0.5 || len(r.PerClass) != 8 {
		t.Errorf("%+v", r)
	}
	if r.Versus == nil || r.Versus.Agreement != 1 || r.Versus.ECE != r.ECE {
		t.Errorf("a model does not agree with its twin: %+v", r.Versus)
	}
	delete(keys, "vs")
	for _, key := range []string{"n", "accuracy", "macro_recall", "macro_f1", "ece", "per_class", "confusion"} {
		if _, ok := keys[key]; !ok {
			t.Errorf("no %q in %v", key, keys)
		}
		delete(keys, key)
	}
	if len(keys) > 0 {
		t.Errorf("more than the protocol says: %v", keys)
	}
	drawing, err := os.Open(plot)
	if err != nil {
		t.Fatal(err)
	}
	defer drawing.Close()
	if size, err := png.DecodeConfig(drawing); err != nil || size.Width < 2*8*50 {
		t.Errorf("the plot of two matrices is %+v (%v)", size, err)
	}

	clitest.WriteFile(t, dir, other+"/broken.png", photo[:50])
	clitest.WriteFile(t, dir, other+"/notes.txt", []byte("no picture"))
	for i := range 6 {
		clitest.WriteFile(t, dir, other+"/"+strings.Repeat("e", i+1)+"mpty.png", nil)
	}
	clitest.WriteFile(t, dir, other+"/blank.png", blankPNG(t))
	if r, _ = evaluated(t, dir, "--via", "detector"); r.N != 2 || len(r.Unread) != 8 || len(r.NoFace) != 1 ||
		!strings.HasSuffix(r.NoFace[0], "blank.png") {
		t.Errorf("%d used, unread %v, without a face %v", r.N, r.Unread, r.NoFace)
	}
	var text bytes.Buffer
	if err := run(t.Context(), append([]string{"eval", dir, "--via", "detector"}, clitest.EngineArgs(t)...),
		&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"2 pictures", "accuracy 50.0 %", "could not be read: 8", "broken.png", "and 3 more",
		"no face was found: 1 (", "blank.png"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text does not say %q:\n%s", want, text.String())
		}
	}
}

func blankPNG(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewGray(image.Rect(0, 0, 64, 64))); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
