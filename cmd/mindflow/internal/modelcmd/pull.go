package modelcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/cmd/mindflow/internal/terminal"
	"mindflow/models"
	"mindflow/models/engine"
	"mindflow/models/fetch"
)

// Pull brings the file of a model.
func Pull() settings.Command {
	fs := settings.NewFlags("model pull NAME")
	url := fs.String("url", "", "take it from this `address or file` instead: for networks without the internet")
	paths := engine.Default()
	settings.PathFlags(fs, &paths)
	return settings.Command{Flags: fs, Run: func(ctx context.Context, call settings.Call, out io.Writer) error {
		if len(call.Args) != 1 {
			return errors.New("model pull: name one model; mindflow model list shows them")
		}
		if paths.Models == "" {
			return errors.New("model pull: name a folder with --models")
		}
		return pull(ctx, paths.Models, call.Args[0], *url, out)
	}}
}

// pull brings the file of a model to the folder dir, from its source or from the place that from names.
func pull(ctx context.Context, dir, name, from string, out io.Writer) error {
	manifest, err := models.Load(dir)
	if err != nil {
		return err
	}
	e, err := manifest.Lookup(name)
	if err != nil {
		return err
	}
	if path := engine.Locate(dir, e); path != "" {
		if _, err := models.Verify(filepath.Dir(path), e); err == nil {
			_, err := fmt.Fprintf(out, "%s is there already: %s\n", e.Name, path)
			return err
		}
	}
	place, err := placeOf(e, from)
	if err != nil {
		return err
	}
	progress := terminal.NewBytes(os.Stderr, e.Name)
	job := fetch.Job{
		Place: place, Target: filepath.Join(dir, e.File), SHA256: e.SHA256, Bytes: e.Bytes, Progress: progress.Show,
	}
	err = job.Run(ctx)
	progress.Clear()
	if err != nil {
		return fmt.Errorf("model pull %s: %w", e.Name, err)
	}
	_, err = fmt.Fprintf(out, "%s, %s, sha256 as expected: %s\nlicence of the weights: %s\n",
		e.Name, terminal.Megabytes(e.Bytes), job.Target, e.Licence)
	return err
}

// placeOf returns where the file of e is taken from. The user may name another place.
func placeOf(e models.Entry, from string) (fetch.Place, error) {
	place, err := fetch.ParseSource(e.Source)
	switch {
	case from != "":
		return place.Elsewhere(from), nil
	case err == nil:
		return place, nil
	case e.Imported():
		return place, fmt.Errorf("model pull %s: it was made here; run mindflow model import --replace with its "+
			"checkpoint again", e.Name)
	case !e.Shipped():
		return place, fmt.Errorf("model pull %s: its source, %q, is no address; give a copy of the file with --url",
			e.Name, e.Source)
	}
	return place, fmt.Errorf("model pull %s: it comes with Mindflow: run \"make build\" there, or give a copy of the "+
		"file with --url", e.Name)
}
