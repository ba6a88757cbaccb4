package models

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func defaults(t *testing.T) *Manifest {
	t.Helper()
	m, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestDefaultManifest(t *testing.T) {
	m := defaults(t)
	for name, role := range map[string]string{"blazeface-back": Detect, "dan-ferplus": Classify} {
		e, err := m.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		if e.Role != role || e.Name != name {
			t.Errorf("%s is %q with role %s", name, e.Name, e.Role)
		}
	}
}

// Each fault is reported with its entry and field, all in one go.
func TestParseNamesEntryAndField(t *testing.T) {
	valid := string(manifest)
	cases := []struct {
		old, new string   // replaced once in the default manifest
		want     []string // in the error
	}{
		{`"threshold": 0.6`, `"treshold": 0.6`, []string{`"treshold"`}},
		{`"threshold": 0.6`, `"threshold": 6`, []string{`entry "blazeface-back"`, "threshold is 6"}},
		{`"nms": 0.3`, `"nms": 0`, []string{`entry "blazeface-back"`, "nms"}},
		{`"role": "detect"`, `"role": "find"`,
			[]string{`entry "blazeface-back"`, "role", `"find"`, "detect, classify"}},
		{`"format": "onnx"`, `"format": "tflite"`, []string{"format", `"tflite"`}},
		{`"decoder": "dan"`, `"decoder": "resnet"`, []string{`entry "dan-ferplus"`, "decoder"}},
		{`"file": "dan-ferplus.onnx"`, `"file": "../dan-ferplus.onnx"`,
			[]string{`entry "dan-ferplus"`, "file", "without a folder"}},
		{`"sha256": "427c`, `"sha256": "427C`, []string{"sha256", "lower case"}},
		{`"bytes": 603432`, `"bytes": 0`, []string{"bytes"}},
		{`"licence": "Apache-2.0"`, `"licence": ""`, []string{`entry "blazeface-back"`, "licence is missing"}},
		{`"name": "dan-ferplus"`, `"name": "blazeface-back"`, []string{"name is taken"}},
		{`"name": "dan-ferplus"`, `"name": ""`, []string{"entry 5", "name is missing"}},
		{`"size": 96`, `"size": 0`, []string{"input.size"}},
		{`"layout": "nchw"`, `"layout": "chw"`, []string{"input.layout", `"chw"`}},
		{`"colour": "rgb", "channels": 3`, `"colour": "rgb", "channels": 1`, []string{"input.channels"}},
		{`"std": [0.229, 0.224, 0.225]`, `"std": [0.229]`, []string{"[0.229] has 1 numbers", "three times"}},
		{`"std": [0.229, 0.224, 0.225]`, `"std": [1, 1, 1, 1]`, []string{"has 4 numbers", "want three"}},
		{`"std": [0.229, 0.224, 0.225]`, `"std": [0.229, 0, 0.225]`, []string{`entry "dan-ferplus"`, "input.std[1]"}},
		{`"kind": "attention"`, `"kind": "gates"`, []string{"outputs[1].kind", `"gates"`}},
		{`"happy", "sad"`, `"happy", "happy"`, []string{"labels[2]", `"happy"`}},
		{`"temperature": 0.`, `"temperature": -0.`, []string{"temperature"}},
		{`"scale": 1.25`, `"scale": 0`, []string{"crop.scale"}},
		{`"crop": {"scale": 1.25, "shift": [0, -0.06]},`, ``, []string{"crop is missing"}},
		{`"cascade": {"scale": 1.1`, `"cascade": {"scale": 1`, []string{`entry "haar"`, "cascade.scale is 1"}},
		{`"min_px": 30`, `"min_px": 0`, []string{`entry "haar"`, "cascade.min_px"}},
		{`"cascade": {"scale": 1.1, "neighbours": 5, "min_px": 30},`, ``,
			[]string{`entry "haar"`, "cascade is missing"}},
		{`"decoder": "haar"`, `"decoder": "yunet"`, []string{`entry "haar"`, "decoder", "format cascade"}},
		{`"folder": "/usr`, `"folder": "usr`, []string{`entry "haar"`, "folder"}},
		{`"size": 640`, `"size": 16`, []string{`entry "yunet"`, "input.size is 16"}},
		{`"size": 96`, `"size": 96, "dynamic": true`, []string{`entry "dan-ferplus"`, "input.dynamic"}},
		{`"size": 96`, `"size": 96, "filter": "cubic"`,
			[]string{`entry "dan-ferplus"`, "input.filter", "area, triangle"}},
		{`"models": [`, `"models": [], "more": [`, []string{`"more"`}},
	}
	for _, c := range cases {
		if strings.Count(valid, c.old) == 0 {
			t.Errorf("the manifest has no %s", c.old)
			continue
		}
		_, err := Parse([]byte(strings.Replace(valid, c.old, c.new, 1)))
		for _, part := range c.want {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%s: error %v does not say %s", c.new, err, part)
			}
		}
	}
	both := strings.Replace(valid, `"nms": 0.3`, `"nms": 3`, 1)
	both = strings.Replace(both, `"temperature": 0.`, `"temperature": -0.`, 1)
	if _, err := Parse([]byte(both)); err == nil || !strings.Contains(err.Error(), "nms") ||
		!strings.Contains(err.Error(), "temperature") {
		t.Errorf("two faults: %v", err)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{"", "[]", `{"models":[]}`, "{}", string(manifest) + "{}"} {
		if _, err := Parse([]byte(text)); err == nil {
			t.Errorf("%.20q was accepted", text)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(manifest)
	f.Add([]byte(`{"models":[{"name":"x","labels":[null]}]}`))
	f.Add([]byte(entryText(f, "mine")))
	f.Fuzz(func(t *testing.T, data []byte) {
		if e, err := ParseEntry(data); err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("the error is not one line: %q", err)
		} else if err == nil && e.Name == "" {
			t.Error("an entry without a name was accepted")
		}
		m, err := Parse(data)
		if err != nil {
			return
		}
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(text); err != nil {
			t.Errorf("what was accepted is refused when written again: %v", err)
		}
	})
}

func TestLookupNamesTheNearest(t *testing.T) {
	m := &Manifest{}
	for _, name := range []string{"blazeface-back", "dan-ferplus", "dan-affectnet8", "yunet"} {
		e := Entry{}
		e.Name = name
		m.Models = append(m.Models, e)
	}
	_, err := m.Lookup("dan-ferplsu")
	if err == nil || !strings.Contains(err.Error(), "nearest: dan-ferplus, ") {
		t.Errorf("got %v", err)
	}
}

// The committed weights are the ones that the manifest names.
func TestVerifyCommittedWeights(t *testing.T) {
	e, err := defaults(t).Lookup("dan-ferplus")
	if err != nil {
		t.Fatal(err)
	}
	path, err := Verify("weights", e)
	if err != nil || path != filepath.Join("weights", "dan-ferplus.onnx") {
		t.Errorf("%q, %v", path, err)
	}
}

func TestVerify(t *testing.T) {
	e := Entry{File: "net.onnx", Bytes: 5, Source: "https://example.com/net.onnx",
		SHA256: "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"} // of "hello"
	e.Name = "net"
	cases := []struct {
		name    string
		content string
		want    []string // in the error; none: it passes
	}{
		{"good", "hello", nil},
		{"short", "hell", []string{"4 bytes", "expected 5", "model pull net"}},
		{"altered", "hallo", []string{"altered", "expected " + e.SHA256, "sha256 is d3751d33", "model pull net"}},
		{"missing", "", []string{"is missing", "model pull net", e.Source}},
	}
	for _, c := range cases {
		dir := t.TempDir()
		if c.content != "" {
			if err := os.WriteFile(filepath.Join(dir, e.File), []byte(c.content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		_, err := Verify(dir, e)
		if c.want == nil && err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		for _, part := range append(c.want, e.File) {
			if c.want != nil && (err == nil || !strings.Contains(err.Error(), part) ||
				strings.Contains(err.Error(), "\n")) {
				t.Errorf("%s: error %v does not say %q in one line", c.name, err, part)
			}
		}
	}
	e.Folder = t.TempDir() // where a package of the system puts it
	if err := os.WriteFile(filepath.Join(e.Folder, e.File), []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	if path, err := Verify(t.TempDir(), e); err != nil || path != filepath.Join(e.Folder, e.File) {
		t.Errorf("a package's file: %q, %v", path, err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, e.File), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(dir, e); err == nil || !strings.Contains(err.Error(), "not a file") {
		t.Errorf("a folder: %v", err)
	}
}

// What is said to bring a file does bring it.
func TestCures(t *testing.T) {
	for _, c := range []struct{ name, source, cure string }{
		{"net", "https://example.com/net.onnx", `run "mindflow model pull net"`}, // make build does not
		{"net", "npm nets@1.0.0/net.onnx", `run "make build" or "mindflow model pull net"`},
		{"dan-ferplus", "trained here", `run "make build"`},
		{"net", ImportedFrom("net.pth"), "import it again, and replace it"},
		{"net", "a colleague", "get it again"},
	} {
		e := Entry{Source: c.source}
		e.Name = c.name
		if got := e.cure(); got != c.cure {
			t.Errorf("%s from %q: %s, want %s", c.name, c.source, got, c.cure)
		}
	}
}
