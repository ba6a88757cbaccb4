package media

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// annotationTargets returns the path to write each annotated picture or video to; the paths are empty if out is. A
// path is out itself or, if out is a folder, the file's name in it. A non-empty extension replaces the file's own.
// check refuses a path that cannot be written. No input is overwritten, and no two targets are the same file.
func annotationTargets(out string, files []string, extension string, check func(path string) error) ([]string, error) {
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
			target = filepath.Join(out, withExtension(filepath.Base(file), extension))
		}
		if other, taken := from[target]; taken {
			return nil, fmt.Errorf("--annotate: %s and %s would both become %s; annotate them one by one", other, file,
				target)
		}
		if slices.ContainsFunc(files, func(f string) bool { return sameFile(f, target) }) {
			return nil, fmt.Errorf("--annotate: %s would be overwritten; name another file or folder", target)
		}
		if err := check(target); err != nil {
			return nil, fmt.Errorf("--annotate: %w", err)
		}
		from[target], targets[i] = file, target
	}
	return targets, nil
}

// withExtension replaces the extension of a name, unless the new one is empty.
func withExtension(name, extension string) string {
	if extension == "" {
		return name
	}
	return strings.TrimSuffix(name, filepath.Ext(name)) + extension
}

// sameFile reports whether two paths lead to one file.
func sameFile(a, b string) bool {
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	two, err := os.Stat(b)
	return err == nil && os.SameFile(one, two)
}
