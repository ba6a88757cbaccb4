package modelcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/models"
	"mindflow/models/engine"
)

// Verify checks the sums of the named models, or of all that are there.
func Verify() settings.Command {
	fs := settings.NewFlags("model verify [NAME…]")
	paths := engine.Default()
	settings.PathFlags(fs, &paths)
	return settings.Command{Flags: fs, Run: func(ctx context.Context, call settings.Call, out io.Writer) error {
		return verify(ctx, paths.Models, call.Args, out)
	}}
}

func verify(ctx context.Context, dir string, names []string, out io.Writer) error {
	manifest, err := models.Load(dir)
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
		line, ok := verifyOne(manifest, dir, name, all)
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

// verifyOne returns the line about one model. Where all are checked, a model that is not there is no fault.
func verifyOne(manifest *models.Manifest, dir, name string, all bool) (line string, ok bool) {
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

// Remove removes a model from the user's folder, and from no other.
func Remove() settings.Command {
	fs := settings.NewFlags("model remove NAME")
	paths := engine.Default()
	settings.PathFlags(fs, &paths)
	return settings.Command{Flags: fs, Run: func(_ context.Context, call settings.Call, out io.Writer) error {
		if len(call.Args) != 1 {
			return errors.New("model remove: name one model; mindflow model list shows them")
		}
		removed, err := models.Remove(paths.Models, call.Args[0])
		if errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("model remove %s: your folder of models, %s, has no such model; what comes with the "+
				"program stays",
				call.Args[0], paths.Models)
		}
		for _, path := range removed {
			fmt.Fprintf(out, "removed %s\n", path)
		}
		return err
	}}
}
