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

// film is the annotated video, begun at its first picture, whose size it takes. Its zero path is none.
type film struct {
	path      string
	rate      float64
	recording *vision.Recording // nil before the first picture
}

func (f *film) add(ctx context.Context, picture *vision.Picture, at time.Duration, faces []pipeline.Label) (err error) {
	if f.path == "" {
		return nil
	}
	if f.recording == nil {
		w, h := picture.Size()
		if f.recording, err = vision.Record(f.path, f.rate, w, h); err != nil {
			return err
		}
	}
	picture.Draw(faces)
	return f.recording.Add(ctx, picture, at)
}

func (f *film) close() error {
	if f.recording == nil {
		return nil
	}
	return f.recording.Close()
}

func (f *film) discard() error {
	if f.recording == nil {
		return nil
	}
	return f.recording.Discard()
}
