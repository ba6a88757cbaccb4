package models

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// put writes a file into dir.
func put(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// made is the entry of an imported model whose file holds text.
func made(t *testing.T, name, text string) Entry {
	t.Helper()
	e, err := ParseEntry([]byte(entryText(t, name)))
	if err != nil {
		t.Fatal(err)
	}
	e.SHA256, e.Bytes = fmt.Sprintf("%x", sha256.Sum256([]byte(text))), int64(len(text))
	e.File = FileName(name, e.SHA256)
	return e
}

// add adds such a model.
func add(t *testing.T, dir string, e Entry, text string) error {
	t.Helper()
	part := put(t, dir, ".x.onnx.part1", text)
	err := Add(dir, part, e)
	if err != nil {
		if err := os.Remove(part); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	return err
}

// holds fails unless dir has those files and the sum of the named model is right.
func holds(t *testing.T, dir, name string, want ...string) {
	t.Helper()
	var files []string
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		files = append(files, f.Name())
	}
	slices.Sort(want)
	if !slices.Equal(files, want) {
		t.Errorf("the folder holds %q, want %q", files, want)
	}
	m, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	e, err := m.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(dir, e); err != nil {
		t.Error(err)
	}
}

func TestAddReplaces(t *testing.T) {
	dir := t.TempDir()
	old := made(t, "mine", "old")
	old.File = "mine.onnx" // as names once were
	put(t, dir, old.File, "old")
	if err := WriteEntry(dir, old); err != nil {
		t.Fatal(err)
	}
	first, second := made(t, "mine", "first"), made(t, "mine", "second")
	for _, c := range []struct {
		e    Entry
		text string
	}{{first, "first"}, {second, "second"}, {second, "second"}} {
		if err := add(t, dir, c.e, c.text); err != nil {
			t.Fatal(err)
		}
		holds(t, dir, "mine", "mine.json", c.e.File)
	}

	faulty := first
	faulty.Temperature = 0
	if err := add(t, dir, faulty, "first"); err == nil || !strings.Contains(err.Error(), "temperature") {
		t.Errorf("a faulty entry: %v", err)
	}
	holds(t, dir, "mine", "mine.json", second.File)
	faulty.File, faulty.SHA256 = second.File, second.SHA256
	if err := add(t, dir, faulty, "second"); err == nil {
		t.Error("a faulty entry was added")
	}
	holds(t, dir, "mine", "mine.json", second.File)

	twin := second
	twin.Name = "twin" // an entry of the user's about the same file
	if err := WriteEntry(dir, twin); err != nil {
		t.Fatal(err)
	}
	if err := add(t, dir, first, "first"); err != nil {
		t.Fatal(err)
	}
	holds(t, dir, "mine", "mine.json", "twin.json", first.File, second.File)
	holds(t, dir, "twin", "mine.json", "twin.json", first.File, second.File)
	third := made(t, "mine", "third")
	third.File = second.File // as by a sum with the same beginning
	if err := add(t, dir, third, "third"); err == nil ||
		!strings.Contains(err.Error(), "is the file of the model twin") {
		t.Errorf("the file of another: %v", err)
	}
	holds(t, dir, "twin", "mine.json", "twin.json", first.File, second.File)
}

// What an import that was killed left goes with the next one, and with a remove; what is the user's stays.
func TestHoldSweeps(t *testing.T) {
	dir := t.TempDir()
	// lost: killed before the entry was written, or before the old file went
	e, lost := made(t, "mine", "mine"), made(t, "mine", "lost")
	if err := add(t, dir, e, "mine"); err != nil {
		t.Fatal(err)
	}
	own := []string{"mine.json", e.File, "own.onnx", "mine-1234abcd.onnx", ".mine.onnx", ".mine.onnx.part",
		".mine.onnx.partial"}
	for _, name := range own[2:] {
		put(t, dir, name, "own")
	}
	other := made(t, "other", "other").File // of another model, which is not being made
	put(t, dir, other, "other")
	stale := func() {
		t.Helper()
		put(t, dir, lost.File, "lost")
		put(t, dir, ".mine.onnx.part2718", "los")
		put(t, dir, ".other.json.part31", "{")
	}
	stale()
	release, err := Hold(dir, "mine")
	if err != nil {
		t.Fatal(err)
	}
	holds(t, dir, "mine", append(own, other)...)
	stale() // somebody is at it now
	second, err := Hold(dir, "mine")
	if err != nil {
		t.Fatal(err)
	}
	all := append([]string{other, lost.File, ".mine.onnx.part2718", ".other.json.part31"}, own...)
	holds(t, dir, "mine", all...)
	for _, end := range []func() error{release, second} {
		if err := end(); err != nil {
			t.Error(err)
		}
	}
	put(t, dir, "broken.json", "{") // it might be about any file
	if release, err = Hold(dir, "mine"); err != nil {
		t.Fatal(err)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
	holds(t, dir, "mine", append(own, other, lost.File, "broken.json")...)
	if err := os.Remove(filepath.Join(dir, "broken.json")); err != nil {
		t.Fatal(err)
	}
	stale()
	removed, err := Remove(dir, "mine")
	if err != nil || len(removed) != 5 {
		t.Errorf("removed %q, %v", removed, err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != len(own)-2+1 {
		t.Errorf("left are %v, %v", files, err)
	}
}
