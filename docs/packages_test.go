// Package docs_test compares docs/packages.md with the code.
package docs_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// module is the path that imports of this module's packages begin with.
const module = "mindflow/"

// row is one package of the table of packages: what its files and, beyond that, its tests may import.
type row struct {
	imports []string // packages of ours by their folder, and libraries by a prefix of their path, without github.com/
	tests   []string // likewise; "*" is every package of ours
}

// TestLayering compares the imports of every Go file with the table in packages.md. A package without a row may
// import nothing but the standard library.
func TestLayering(t *testing.T) {
	rows := readTable(t)
	root := ".."
	found := map[string]bool{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && d.Name() != ".." || d.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		folder := filepath.ToSlash(filepath.Dir(rel))
		found[folder] = true
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if !allowed(rows, folder, imported, strings.HasSuffix(name, "_test.go")) {
				t.Errorf("%s imports %s, which the row of `%s` in packages.md does not allow", rel, imported, folder)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for folder := range rows {
		if !found[folder] {
			t.Errorf("docs/packages.md has a row for `%s`, which is no package", folder)
		}
	}
	for folder := range found {
		if _, ok := rows[folder]; !ok && folder != "docs" {
			t.Errorf("docs/packages.md has no row for the package `%s`", folder)
		}
	}
}

// readTable reads the table of packages. A row has four cells, of which the first, third and fourth name packages and
// libraries in backticks.
func readTable(t *testing.T) map[string]row {
	t.Helper()
	text, err := os.ReadFile("packages.md")
	if err != nil {
		t.Fatal(err)
	}
	rows, inside := map[string]row{}, false
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "| package |") {
			inside = true
			continue
		}
		if inside = inside && strings.HasPrefix(line, "|"); !inside || strings.HasPrefix(line, "|---") {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 4 {
			t.Fatalf("packages.md: %d cells instead of 4 in %q", len(cells), line)
		}
		names := quoted(cells[0])
		if len(names) != 1 {
			t.Fatalf("packages.md: the first cell names no package in %q", line)
		}
		rows[names[0]] = row{quoted(cells[2]), quoted(cells[3])}
	}
	if len(rows) < 20 {
		t.Fatalf("packages.md: the table of packages has %d rows", len(rows))
	}
	return rows
}

// quoted returns the words in backticks.
func quoted(cell string) (words []string) {
	for i, part := range strings.Split(cell, "`") {
		if i%2 == 1 {
			words = append(words, part)
		}
	}
	return words
}

// allowed reports whether a file of the package in folder may import a package by the table.
func allowed(rows map[string]row, folder, imported string, test bool) bool {
	first, _, _ := strings.Cut(imported, "/")
	own, ours := strings.CutPrefix(imported, module)
	if !ours && !strings.Contains(first, ".") {
		return true // the standard library
	}
	r := rows[folder]
	may := r.imports
	if test {
		may = slices.Concat(r.imports, r.tests)
	}
	if !ours {
		library := strings.TrimPrefix(imported, "github.com/")
		return slices.ContainsFunc(may, func(prefix string) bool {
			return library == prefix || strings.HasPrefix(library, prefix+"/")
		})
	}
	if test && own == folder {
		return true // an external test
	}
	private := strings.HasPrefix(own, "cmd/") || strings.HasPrefix(own, "bench")
	return slices.Contains(may, own) || slices.Contains(may, "*") && !private
}

// TestTableIsRead checks imports that the table allows and forbids: a reader that allows everything fails here.
func TestTableIsRead(t *testing.T) {
	rows := readTable(t)
	for _, c := range []struct {
		folder, imported string
		test, want       bool
	}{
		{"pipeline", "encoding/json", false, true},
		{"pipeline", "mindflow/pipeline/ort", false, false},
		{"pipeline", "github.com/pion/rtp", false, false},
		{"pipeline/ort", "github.com/yalue/onnxruntime_go", false, true},
		{"pipeline/ort", "mindflow/pipeline/vision", false, false},
		{"pipeline/vision", "github.com/yalue/onnxruntime_go", false, false},
		{"pipeline/camera", "github.com/pion/mediadevices/pkg/driver", false, true},
		{"pipeline/camera", "github.com/pion/webrtc/v3", false, false},
		{"models", "mindflow/server", true, false},
		{"server", "mindflow/pipeline/avdec", false, false},
		{"server", "mindflow/cmd/mindflow", true, false},
		{"web", "mindflow/pipeline", false, false},
		{"cmd/mindflow", "github.com/pion/webrtc/v3", false, false},
		{"elsewhere", "fmt", false, true},
		{"elsewhere", "mindflow/pipeline", false, false},
	} {
		if got := allowed(rows, c.folder, c.imported, c.test); got != c.want {
			t.Errorf("%s imports %s (test: %v): allowed %v, want %v", c.folder, c.imported, c.test, got, c.want)
		}
	}
}

// TestSizes checks that a package is read in one sitting: its files, tests apart, have under 2,000 lines together.
func TestSizes(t *testing.T) {
	lines := map[string]int{}
	err := filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && d.Name() != ".." || d.Name() == "node_modules") {
			return filepath.SkipDir
		}
		kind := filepath.Ext(name)
		if !slices.Contains([]string{".go", ".c", ".h"}, kind) || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(name)
		lines[filepath.Dir(name)] += strings.Count(string(text), "\n")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for folder, n := range lines {
		if n >= 2000 {
			t.Errorf("%s has %d lines", folder, n)
		}
	}
}
