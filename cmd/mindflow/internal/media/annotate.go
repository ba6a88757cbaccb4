package media

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mindflow/pipeline"
	"mindflow/pipeline/vision"
)

// annotationTargets returns the file that each picture or video is drawn to, empty where out is: out itself, or a file
// of the same name in the folder out, with the extension instead of its own if there is one. check refuses what cannot
// be written. No input is overwritten, and no two targets are one file.
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

// recording writes the annotated video, in the size of its first picture. Without a path it writes nothing.
type recording struct {
	path string
	rate float64
	file *vision.Recording // nil before the first picture
}

func (r *recording) add(ctx context.Context, picture *vision.Picture, at time.Duration,
	faces []pipeline.Label) (err error) {
	if r.path == "" {
		return nil
	}
	if r.file == nil {
		w, h := picture.Size()
		if r.file, err = vision.Record(r.path, r.rate, w, h); err != nil {
			return err
		}
	}
	picture.Draw(faces)
	return r.file.Add(ctx, picture, at)
}

func (r *recording) close() error {
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}

func (r *recording) discard() error {
	if r.file == nil {
		return nil
	}
	return r.file.Discard()
}
