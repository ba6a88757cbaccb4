package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

// A flag that is wrong is named in one line, with what it may have been meant to be.
func TestWrongFlags(t *testing.T) {
	absent := filepath.Join(t.TempDir(), "absent")
	for _, row := range []struct {
		args []string
		want []string
	}{
		{[]string{"image", "--modle", "x", "a.jpg"}, []string{"--modle is no flag", "nearest: model", "mindflow image --help"}},
		{[]string{"model", "import", "--size", "big", "a.pth"}, []string{"-size", "big", "mindflow model import --help"}},
		{[]string{"model", "fetch"}, []string{`unknown command "model fetch"`}},
		{[]string{"image", "--models", absent, "a.jpg"}, []string{"--models " + absent, "no such folder"}},
		{[]string{"camera", "--synthetic", "--publish", "http://localhost", "--model", "a"}, []string{"--model has no effect with --publish", "?model=NAME"}},
		{[]string{"camera", "--synthetic", "--publish", "http://localhost", "--preset", "notebook"}, []string{"--preset has no effect"}},
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
