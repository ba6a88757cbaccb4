package modelcmd

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/models"
	"mindflow/pipeline"
)

// addEntry adds to dir the entry of a file with the given content.
func addEntry(t *testing.T, dir, name, source string, content []byte) models.Entry {
	t.Helper()
	sum := sha256.Sum256(content)
	e := models.Entry{
		Model: pipeline.Model{
			Name: name, Decoder: "dan",
			Input: pipeline.Input{Name: "input", Size: 96, Layout: pipeline.NCHW, Colour: pipeline.RGB, Channels: 3,
				Scale: 1. / 255, Std: [3]float32{1, 1, 1}},
			Crop:    &pipeline.CropRule{Scale: 1},
			Outputs: []pipeline.Output{{Name: "logits", Kind: "logits"}, {Name: "attention", Kind: "attention"}},
			Labels:  []string{"calm", "glad"}, Temperature: 1,
		},
		Role: models.Classify, Format: models.ONNX, File: name + ".onnx",
		SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(content)),
		Source: source, Licence: "CC0", TrainingData: "none: made for a test",
	}
	if err := models.WriteEntry(dir, e); err != nil {
		t.Fatal(err)
	}
	return e
}

// commands are those that these tests run by their names.
var commands = map[string]func() settings.Command{
	"list": List, "info": Info, "pull": Pull, "verify": Verify, "remove": Remove,
}

// modelCommand runs `mindflow model …` on the models in dir.
func modelCommand(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := commands[args[0]]().Execute(t.Context(), append(args[1:], "--models", dir), nil, &out)
	return out.String(), err
}

func state(t *testing.T, dir, name string) modelState {
	t.Helper()
	text, err := modelCommand(t, dir, "info", name, "--json")
	if err != nil {
		t.Fatal(err)
	}
	var s modelState
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestModelComesAndGoes: a model is pulled, listed, verified and removed. The removal takes its file and no other.
func TestModelComesAndGoes(t *testing.T) {
	content := bytes.Repeat([]byte("weights "), 1000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}))
	defer server.Close()
	dir := t.TempDir()
	addEntry(t, dir, "little", server.URL+"/little.onnx", content)
	addEntry(t, dir, "other", "https://example.org/other.onnx", content)

	if s := state(t, dir, "little"); s.State != missing || s.Path != "" {
		t.Errorf("before the pull it is %s at %q", s.State, s.Path)
	}
	if _, err := modelCommand(t, dir, "pull", "little"); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "little.onnx")); err != nil || !bytes.Equal(got, content) {
		t.Errorf("the file that was pulled: %d bytes, %v", len(got), err)
	}
	if s := state(t, dir, "little"); s.State != ready || s.Path != filepath.Join(dir, "little.onnx") {
		t.Errorf("after the pull it is %s at %q", s.State, s.Path)
	}
	if text, err := modelCommand(t, dir, "pull", "little"); err != nil || !strings.Contains(text, "there already") {
		t.Errorf("pulled again, it says %q, %v", text, err)
	}
	text, err := modelCommand(t, dir, "list")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"little", "CC0", "dan-ferplus", "Apache-2.0", "FER+ train", "dan-rafdb: ",
		"--labels rafdb"} {
		if !strings.Contains(text, want) {
			t.Errorf("the list has no %q:\n%s", want, text)
		}
	}
	if text, err := modelCommand(t, dir, "verify"); err != nil || !strings.Contains(text, "ok       little") {
		t.Errorf("verify says %v:\n%s", err, text)
	}
	if _, err := modelCommand(t, dir, "remove", "little"); err != nil {
		t.Fatal(err)
	}
	if _, err := modelCommand(t, dir, "info", "little"); err == nil {
		t.Error("it is still there")
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 1 || left[0].Name() != "other.json" {
		t.Errorf("left are %v", left)
	}
}

func TestVerifyFindsAlteredModel(t *testing.T) {
	content := []byte("weights")
	dir := t.TempDir()
	e := addEntry(t, dir, "little", "https://example.org/little.onnx", content)
	path := filepath.Join(dir, e.File)
	for name, c := range map[string]struct{ content, want string }{
		"other bytes": {"Weights", "was altered"}, "other size": {"weight", "has 6 bytes, expected 7"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(path, []byte(c.content), 0o644); err != nil {
				t.Fatal(err)
			}
			for _, args := range [][]string{{"verify", "little"}, {"verify"}} {
				text, err := modelCommand(t, dir, args...)
				if err == nil || !strings.Contains(text, c.want) ||
					!strings.Contains(text, `"mindflow model pull little"`) {
					t.Errorf("%v says %v:\n%s", args, err, text)
				}
			}
		})
	}
	t.Run("missing", func(t *testing.T) {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if text, err := modelCommand(t, dir, "verify"); err != nil || !strings.Contains(text, "missing  little") {
			t.Errorf("with all looked at: %v:\n%s", err, text)
		}
		if text, err := modelCommand(t, dir, "verify", "little"); err == nil || !strings.Contains(text, "is missing") {
			t.Errorf("asked for by name: %v:\n%s", err, text)
		}
	})
}

// TestPullFromPath: a pull replaces an altered file, and checks a file given by path like any other.
func TestPullFromPath(t *testing.T) {
	content := []byte("weights")
	dir := t.TempDir()
	e := addEntry(t, dir, "little", "https://example.org/little.onnx", content)
	carried := filepath.Join(t.TempDir(), "carried")
	if err := os.WriteFile(filepath.Join(dir, e.File), []byte("Weights"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(carried, []byte("weighty"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := modelCommand(t, dir, "pull", "little", "--url", carried); err == nil || !strings.Contains(err.Error(),
		"sha256") {
		t.Errorf("a wrong file says %v", err)
	}
	if err := os.WriteFile(carried, content, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := modelCommand(t, dir, "pull", "little", "--url", carried); err != nil {
		t.Error(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, e.File)); err != nil || !bytes.Equal(got, content) {
		t.Errorf("the file is %q, %v", got, err)
	}
}

func TestModelRefusals(t *testing.T) {
	dir := t.TempDir()
	addEntry(t, dir, "mine", models.ImportedFrom("a checkpoint"), []byte("weights"))
	addEntry(t, dir, "own", "a colleague", []byte("weights"))
	if err := os.WriteFile(filepath.Join(dir, "broken.json"), []byte(`{"name":`), 0o644); err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		args []string
		want string
	}{
		"no such model":     {[]string{"pull", "yunett"}, `no model is named "yunett"; nearest: yunet`},
		"a recipe":          {[]string{"pull", "dan-rafdb"}, "mindflow model import rafdb_epoch21"},
		"one of ours":       {[]string{"pull", "mine"}, "import --replace"},
		"of a stranger":     {[]string{"pull", "own"}, `"a colleague", is no address`},
		"none named":        {[]string{"pull"}, "name one model"},
		"broken entry":      {[]string{"info", "broken"}, "broken.json"},
		"of the program":    {[]string{"remove", "dan-ferplus"}, "what comes with the program stays"},
		"a path":            {[]string{"remove", "../x"}, "letters, digits"},
		"no model to label": {[]string{"list", "x"}, "takes no names"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := modelCommand(t, dir, c.args...)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want it to say %q", err, c.want)
			}
		})
	}
	if text, err := modelCommand(t, dir, "list"); err != nil || !strings.Contains(text, "left out: ") {
		t.Errorf("a list with a broken entry: %v\n%s", err, text)
	}
	if _, err := modelCommand(t, dir, "remove", "broken"); err != nil {
		t.Errorf("a broken entry cannot be removed: %v", err)
	}
}

// TestRemoveWithoutFolder: without a folder of models, remove does not take the current folder for it.
func TestRemoveWithoutFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("dan-ferplus.onnx", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := modelCommand(t, "", "remove", "dan-ferplus"); err == nil || !strings.Contains(err.Error(),
		"--models") {
		t.Errorf("it says %v", err)
	}
	if _, err := os.Stat("dan-ferplus.onnx"); err != nil {
		t.Error(err)
	}
}
