package modelcmd

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mindflow/cmd/mindflow/internal/clitest"
	"mindflow/models/evaluate"
)

func TestEvalRefuses(t *testing.T) {
	engine := clitest.EngineArgs(t)
	dir := t.TempDir()
	clitest.WriteFile(t, dir, "happy/a.txt", []byte("no picture"))
	unknown := t.TempDir()
	clitest.WriteFile(t, unknown, "bored/a.png", nil)
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "name one folder"},
		{[]string{dir, dir}, "name one folder"},
		{[]string{dir, "--model", ","}, "--model: name at least one"},
		{[]string{dir, "--via", "eyes"}, "--via eyes"},
		{[]string{dir, "--rule", "all"}, "--rule all"},
		{[]string{dir, "--plot", "a.jpg"}, ".png"},
		{[]string{dir, "--plot", filepath.Join(dir, "absent", "a.png")}, "no folder"},
		{[]string{dir, "--vs", "dan-ferplsu"}, "nearest: dan-ferplus"},
		{[]string{dir, "--vs", "dan-ferplus"}, "--vs dan-ferplus is the model itself"},
		{[]string{dir, "--vs", "haar"}, "is there to detect"},
		{[]string{dir, "--detector", "blazeface-bakc"}, "blazeface-back"},
		{[]string{dir}, "a.txt: not a picture"},
		{[]string{unknown}, "neutral, happy, sad"},
	} {
		err := Eval().Execute(t.Context(), slices.Concat(c.args, engine), nil, &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: error %v does not say %q", c.args, err, c.want)
		}
	}
}

// TestEvalFERPlus: the shipped model has the figures of models/README.md on FER+.
func TestEvalFERPlus(t *testing.T) {
	if testing.Short() {
		t.Skip("half a minute")
	}
	set := filepath.Join(filepath.Dir(clitest.MediaFile(t, "")), "data", "ferplus-train-valid.tar.gz")
	if _, err := os.Stat(set); err != nil {
		t.Skip("no FER+ beside the test media:", err)
	}
	var out bytes.Buffer
	if err := Eval().Execute(t.Context(), append(clitest.EngineArgs(t), "--json", set), nil, &out); err != nil {
		t.Fatal(err)
	}
	var r evaluate.Result
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if r.N != 3191 || r.Accuracy < 0.847 || r.Accuracy > 0.853 || r.MacroRecall < 0.68 || r.ECE > 0.02 {
		t.Errorf("%d pictures, accuracy %.4f, macro recall %.4f, ECE %.4f", r.N, r.Accuracy, r.MacroRecall, r.ECE)
	}
}
