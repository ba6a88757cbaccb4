package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// annotated names the file that each picture or video is drawn to, "" for none: out itself, or a file of
// the same name in the folder out, with extension in place of its own where one is given. check refuses
// what cannot be written. Nothing is overwritten that is read, and no two files share a name.
func annotated(out string, files []string, extension string, check func(path string) error) ([]string, error) {
	targets := make([]string, len(files))
	if out == "" {
		return targets, nil
	}
	if len(files) > 1 {
		if err := os.MkdirAll(out, 0o755); err != nil {
			return nil, fmt.Errorf("create the folder for annotated files: %w", err)
		}
	}
	info, err := os.Stat(out)
	folder := err == nil && info.IsDir()
	from := map[string]string{}
	for i, file := range files {
		target := out
		if folder {
			target = filepath.Join(out, renamed(filepath.Base(file), extension))
		}
		if other, taken := from[target]; taken {
			return nil, fmt.Errorf("--annotate: %s and %s would both become %s; annotate them one by one", other, file, target)
		}
		if slices.ContainsFunc(files, func(f string) bool { return same(f, target) }) {
			return nil, fmt.Errorf("--annotate: %s would be overwritten; name another file or folder", target)
		}
		if err := check(target); err != nil {
			return nil, fmt.Errorf("--annotate: %w", err)
		}
		from[target], targets[i] = file, target
	}
	return targets, nil
}

// renamed gives name another extension, unless that is empty.
func renamed(name, extension string) string {
	if extension == "" {
		return name
	}
	return strings.TrimSuffix(name, filepath.Ext(name)) + extension
}

// same says whether two names lead to one file.
func same(a, b string) bool {
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	two, err := os.Stat(b)
	return err == nil && os.SameFile(one, two)
}
