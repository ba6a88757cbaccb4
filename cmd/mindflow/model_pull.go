package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/models"
	"mindflow/models/engine"
	"mindflow/models/fetch"
)

// pullModel is `mindflow model pull`.
func pullModel(ctx context.Context, args []string, out io.Writer) error {
	fs := flag.NewFlagSet("mindflow model pull NAME", flag.ContinueOnError)
	url := fs.String("url", "", "take it from this `address or file` instead: for networks without the internet")
	paths := engine.Default()
	settings.PathFlags(fs, &paths)
	names, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(names) != 1 {
		return errors.New("model pull: name one model; mindflow model list shows them")
	}
	if paths.Models == "" {
		return errors.New("model pull: name a folder with --models")
	}
	manifest, err := models.Load(paths.Models)
	if err != nil {
		return err
	}
	e, err := manifest.Lookup(names[0])
	if err != nil {
		return err
	}
	if path := engine.Locate(paths.Models, e); path != "" {
		if _, err := models.Verify(filepath.Dir(path), e); err == nil {
			_, err := fmt.Fprintf(out, "%s is there already: %s\n", e.Name, path)
			return err
		}
	}
	place, err := placeOf(e, *url)
	if err != nil {
		return err
	}
	bar := &bytesBar{name: e.Name, now: time.Now}
	if isTerminal(os.Stderr) {
		bar.out = os.Stderr
	}
	job := fetch.Job{Place: place, Target: filepath.Join(paths.Models, e.File), SHA256: e.SHA256, Bytes: e.Bytes, Progress: bar.show}
	err = job.Run(ctx)
	bar.clear()
	if err != nil {
		return fmt.Errorf("model pull %s: %w", e.Name, err)
	}
	_, err = fmt.Fprintf(out, "%s, %s, sha256 as expected: %s\nlicence of the weights: %s\n", e.Name, megabytes(e.Bytes), job.Target, e.Licence)
	return err
}

// placeOf is where the file of e is taken from: from there, when the user names a place.
func placeOf(e models.Entry, from string) (fetch.Place, error) {
	place, err := fetch.ParseSource(e.Source)
	switch {
	case from != "":
		return place.Elsewhere(from), nil
	case err == nil:
		return place, nil
	case e.Imported():
		return place, fmt.Errorf("model pull %s: it was made here; run mindflow model import --replace with its checkpoint again", e.Name)
	case !e.Shipped():
		return place, fmt.Errorf("model pull %s: its source, %q, is no address; give a copy of the file with --url", e.Name, e.Source)
	}
	return place, fmt.Errorf(`model pull %s: it comes with Mindflow: run "make build" there, or give a copy of the file with --url`, e.Name)
}

// bytesBar shows on a terminal how far a download is. Without out it shows nothing.
type bytesBar struct {
	out   io.Writer
	name  string
	now   func() time.Time
	began time.Time
	first int64 // bytes that were there when it began
	shown time.Time
}

func (b *bytesBar) show(done, total int64) {
	const width, interval = 30, 100 * time.Millisecond
	now := b.now()
	if b.out == nil || !b.shown.IsZero() && now.Sub(b.shown) < interval && done != total {
		return
	}
	b.shown = now
	if b.began.IsZero() {
		b.began, b.first = now, done
	}
	speed := float64(done-b.first) / max(now.Sub(b.began).Seconds(), 0.001)
	if total <= 0 {
		fmt.Fprintf(b.out, "\r\x1b[K%s %s, %s a second", b.name, megabytes(done), megabytes(int64(speed)))
		return
	}
	full := int(width * min(done, total) / total)
	fmt.Fprintf(b.out, "\r\x1b[K%s [%s%s] %s of %s, %s a second", b.name,
		"##############################"[:full], "                              "[full:], megabytes(done), megabytes(total), megabytes(int64(speed)))
}

func (b *bytesBar) clear() {
	if b.out != nil && !b.shown.IsZero() {
		fmt.Fprint(b.out, "\r\x1b[K")
	}
}
