package main

import (
	"strings"
	"testing"
)

// TestHelp asks every measurement for help, which must name it and list its flags without measuring anything.
func TestHelp(t *testing.T) {
	for _, m := range measurements {
		var out strings.Builder
		if err := run(t.Context(), []string{m.name, "-h"}, &out); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
		text := out.String()
		if !strings.HasPrefix(text, "usage: go run ./bench "+m.name) || !strings.Contains(text, "\n  -") {
			t.Errorf("%s: %q", m.name, text)
		}
	}
	var out strings.Builder
	if err := run(t.Context(), nil, &out); err != nil || strings.Count(out.String(), "\n  ") != len(measurements) {
		t.Errorf("%v: %s", err, out.String())
	}
}

func TestErrors(t *testing.T) {
	for want, args := range map[string][]string{
		"crop: no such measurement":             {"crop"},
		"ladder: flag provided but not defined": {"ladder", "-x"},
		"soak: use -sessions":                   {"soak", "-sessions", "0"},
		"economy: name at least one clip":       {"economy"},
		"detectors: no *.xml in":                {"detectors", "-faces", t.TempDir()},
		"-clip":                                 {"ladder", "-clip", "nowhere.mp4"},
	} {
		var out strings.Builder
		if err := run(t.Context(), args, &out); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q in it", args, err, want)
		}
	}
}
