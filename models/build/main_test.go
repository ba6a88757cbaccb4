package main

import (
	"io"
	"path/filepath"
	"strings"
	"testing"
)

func TestRunRefuses(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none.pth")
	out := filepath.Join(t.TempDir(), "net.onnx")
	for want, args := range map[string][]string{
		"-checkpoint FILE.pth": {"-out", out},
		"-out FILE.onnx":       {"-checkpoint", missing},
		missing:                {"-checkpoint", missing, "-out", out},
		"-size":                {"-size", "96"},
	} {
		if err := run(args, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v does not say %s", args, err, want)
		}
	}
}
