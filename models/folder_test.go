package models

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// entryText is the entry of a classifier as a file of a folder holds it.
func entryText(t testing.TB, name string) string {
	t.Helper()
	m, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	e, err := m.Lookup("dan-ferplus")
	if err != nil {
		t.Fatal(err)
	}
	e.Name, e.File, e.Source = name, name+".onnx", ImportedFrom("weights.pth")
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestUserFolder(t *testing.T) {
	t.Setenv("HOME", "/home/ada")
	for data, want := range map[string]string{
		"":         "/home/ada/.local/share/mindflow/models",
		"relative": "/home/ada/.local/share/mindflow/models",
		"/data":    "/data/mindflow/models",
	} {
		t.Setenv("XDG_DATA_HOME", data)
		if got, err := UserFolder(); err != nil || got != want {
			t.Errorf("with %q: %q, %v; want %q", data, got, err, want)
		}
	}
}

// A faulty file says why when its model is asked for, and leaves the others alone.
func TestLoad(t *testing.T) {
	dir := t.TempDir()
	for file, text := range map[string]string{
		"mine.json":           entryText(t, "mine"),
		"other.json":          entryText(t, "renamed"),
		"dan-ferplus.json":    entryText(t, "dan-ferplus"),
		"broken.json":         "{",
		"misspelt.json":       strings.Replace(entryText(t, "misspelt"), `"temperature"`, `"temprature"`, 1),
		"huge.json":           strings.Repeat(" ", maxEntry) + entryText(t, "huge"),
		"climbing.json":       strings.Replace(entryText(t, "climbing"), "climbing.onnx", "../climbing.onnx", 1),
		"mine.onnx":           "",
		".mine.onnx.part1234": "",
	} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if e, err := m.Lookup("mine"); err != nil || !e.Imported() || e.File != "mine.onnx" {
		t.Errorf("%+v, %v", e, err)
	}
	if e, err := m.Lookup("dan-ferplus"); err != nil || e.Imported() {
		t.Errorf("the shipped model was shadowed: %v, %v", e.Source, err)
	}
	for name, want := range map[string]string{
		"other": "renamed.json", "broken": "unexpected EOF", "misspelt": "temprature", "huge": "bytes",
		"climbing": "without a folder",
	} {
		if _, err := m.Lookup(name); err == nil || !strings.Contains(err.Error(), want) ||
			!strings.Contains(err.Error(), filepath.Join(dir, name+".json")) {
			t.Errorf("%s: error %v does not say %q and the file", name, err, want)
		}
	}
	if err := m.Faults["dan-ferplus"]; err == nil || !strings.Contains(err.Error(), "shipped") {
		t.Errorf("the fault of a name that is shipped: %v", err)
	}
	if m, err := Load(filepath.Join(dir, "none")); err != nil || len(m.Models) != len(defaults(t).Models) {
		t.Errorf("without a folder: %v", err)
	}
	if _, err := Load(filepath.Join(dir, "mine.json")); err == nil || !strings.Contains(err.Error(), "Models: ") {
		t.Errorf("a file as folder: %v", err)
	}
}

func TestWriteEntry(t *testing.T) {
	dir := t.TempDir()
	e, err := ParseEntry([]byte(entryText(t, "mine")))
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteEntry(dir, e); err != nil {
		t.Fatal(err)
	}
	m, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Lookup("mine"); err != nil {
		t.Error(err)
	}
	e.Temperature = 0
	if err := WriteEntry(dir, e); err == nil || !strings.Contains(err.Error(), "temperature") {
		t.Errorf("a faulty entry: %v", err)
	}
	for _, name := range []string{"", "../x", "a/b", ".hidden", "a b", strings.Repeat("x", 65)} {
		if e.Name = name; CheckName(name) == nil || WriteEntry(dir, e) == nil {
			t.Errorf("the name %q was accepted", name)
		}
	}
}

// A write that fails leaves the old file, and nothing else.
func TestWriteFileKeepsTheOld(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	full := errors.New("disk full")
	err := WriteFile(path, func(w io.Writer) error {
		_, err := io.WriteString(w, "ne")
		return errors.Join(err, full)
	})
	if !errors.Is(err, full) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v", err)
	}
	text, err := os.ReadFile(path)
	if err != nil || string(text) != "old" {
		t.Errorf("%q, %v", text, err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Errorf("the folder holds %v, %v", files, err)
	}
	if err := WriteFile(path, func(w io.Writer) error { _, err := io.WriteString(w, "new"); return err }); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(path); err != nil || !slices.Equal(text, []byte("new")) {
		t.Errorf("%q, %v", text, err)
	}
}
