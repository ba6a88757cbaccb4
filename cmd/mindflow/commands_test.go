package main

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestAllSettings: a file that commands share may hold the settings of each, but not the options of one run.
func TestAllSettings(t *testing.T) {
	known := allSettings()
	for _, name := range []string{"listen", "jwt-keys", "device", "csv", "annotate", "camera", "min-rate", "via",
		"plot"} {
		if !slices.Contains(known, name) {
			t.Errorf("%s is missing", name)
		}
	}
	for _, name := range []string{"config", "print-config", "labels", "url", "alg", "help"} {
		if slices.Contains(known, name) {
			t.Errorf("%s is no setting", name)
		}
	}
	slices.Sort(known)
	if n := len(slices.Compact(known)); n < 85 {
		t.Errorf("%d settings", n)
	}
}

// TestWrongFlags: an error names the wrong flag in one line, with the nearest right one.
func TestWrongFlags(t *testing.T) {
	absent := filepath.Join(t.TempDir(), "absent")
	for _, row := range []struct {
		args []string
		want []string
	}{
		{[]string{"image", "--modle", "x", "a.jpg"}, []string{"--modle is no flag", "nearest: model",
			"mindflow image --help"}},
		{[]string{"model", "import", "--size", "big", "a.pth"},
			[]string{"-size", "big", "mindflow model import --help"}},
		{[]string{"token"}, []string{"token: name a command"}},
		{[]string{"token", "sing"}, []string{"mindflow token help"}},
		{[]string{"model", "fetch"}, []string{`unknown command "model fetch"`}},
		{[]string{"image", "--models", absent, "a.jpg"}, []string{"--models " + absent, "no such folder"}},
		{[]string{"camera", "--synthetic", "--publish", "http://localhost", "--model", "a"},
			[]string{"--model has no effect with --publish", "?model=NAME"}},
		{[]string{"camera", "--synthetic", "--publish", "http://localhost", "--preset", "notebook"},
			[]string{"--preset has no effect"}},
	} {
		err := run(t.Context(), row.args, &bytes.Buffer{})
		if err == nil {
			t.Errorf("%v is accepted", row.args)
			continue
		}
		for _, want := range row.want {
			if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v says %q, want %q in one line", row.args, err, want)
			}
		}
	}
}

func TestVersion(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), []string{"version"}, &out); err != nil || !strings.HasPrefix(out.String(),
		"mindflow dev (go") {
		t.Errorf("%q, %v", out.String(), err)
	}
}
