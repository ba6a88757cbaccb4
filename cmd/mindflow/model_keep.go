package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/models"
	"mindflow/models/engine"
)

// verifyModels is `mindflow model verify`: the sums of the named model or of all that are there.
func verifyModels(ctx context.Context, args []string, out io.Writer) error {
	fs := flag.NewFlagSet("mindflow model verify [NAME…]", flag.ContinueOnError)
	paths := engine.Default()
	settings.PathFlags(fs, &paths)
	names, err := parse(fs, args)
	if err != nil {
		return err
	}
	manifest, err := models.Load(paths.Models)
	if err != nil {
		return err
	}
	all := len(names) == 0
	if all {
		for _, e := range manifest.Models {
			names = append(names, e.Name)
		}
		for name := range manifest.Faults {
			names = append(names, name)
		}
	}
	bad := 0
	for _, name := range names {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		line, ok := verifyModel(manifest, paths.Models, name, all)
		if !ok {
			bad++
		}
		if _, err := fmt.Fprintln(out, line); err != nil {
			return err
		}
	}
	if bad > 0 {
		return fmt.Errorf("model verify: %d of %d failed", bad, len(names))
	}
	return nil
}

// verifyModel gives the line about one model. Where all are looked at, one that is not there is no fault.
func verifyModel(manifest *models.Manifest, dir, name string, all bool) (line string, ok bool) {
	e, err := manifest.Lookup(name)
	if err != nil {
		return fmt.Sprintf("FAILED   %v", err), false
	}
	path := engine.Locate(dir, e)
	if path == "" && all {
		return fmt.Sprintf("missing  %s", name), true
	}
	if path != "" {
		dir = filepath.Dir(path)
	}
	if path, err = models.Verify(dir, e); err != nil {
		return fmt.Sprintf("FAILED   %v", err), false
	}
	return fmt.Sprintf("ok       %s: %s", name, path), true
}

// removeModel is `mindflow model remove`. It only touches the folder of the user's models.
func removeModel(_ context.Context, args []string, out io.Writer) error {
	fs := flag.NewFlagSet("mindflow model remove NAME", flag.ContinueOnError)
	paths := engine.Default()
	settings.PathFlags(fs, &paths)
	names, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(names) != 1 {
		return errors.New("model remove: name one model; mindflow model list shows them")
	}
	removed, err := models.Remove(paths.Models, names[0])
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("model remove %s: your folder of models, %s, has no such model; what comes with the program stays", names[0], paths.Models)
	}
	for _, path := range removed {
		fmt.Fprintf(out, "removed %s\n", path)
	}
	return err
}
