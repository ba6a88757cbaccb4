package settings

import (
	"bytes"
	"strings"
	"testing"
)

// TestModelSetting: flag, file and environment may name several models, which replace the default.
func TestModelSetting(t *testing.T) {
	check := func(source string, args ...string) {
		t.Helper()
		if got, want := printed(t, args...)["model"], `model = ["one", "two", "three"] # `+source; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got := printed(t)["model"]; got != `model = ["dan-ferplus"] # default` {
		t.Errorf("by default: %s", got)
	}
	check("--model", "--model", "one", "--model", "two, three")
	path := settingsFile(t, `model = ["one", "two", "three"]`)
	check(path, "--config", path)
	if got := printed(t, "--config", settingsFile(t, `model = "one"`))["model"]; !strings.HasPrefix(got,
		`model = ["one"] #`) {
		t.Errorf("one in a file: %s", got)
	}
	t.Setenv("MINDFLOW_MODEL", "one,two,three")
	check("MINDFLOW_MODEL")
}

func TestModelSettingFaults(t *testing.T) {
	for flag, want := range map[string]string{
		"a,b,a": "--model a: it is named twice",
		",":     "--model: name at least one",
		strings.Join(strings.Split("abcdefghijklmnopq", ""), ","): "--model: 17 are named, use at most 16",
	} {
		err := printConfig(t, &bytes.Buffer{}, "--model", flag)
		if err == nil || err.Error() != want {
			t.Errorf("--model %s: %v, want %s", flag, err, want)
		}
	}
}
