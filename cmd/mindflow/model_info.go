package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/models"
	"mindflow/models/engine"
)

// informModel is `mindflow model info`.
func informModel(_ context.Context, args []string, out io.Writer) error {
	fs := flag.NewFlagSet("mindflow model info NAME", flag.ContinueOnError)
	asJSON := fs.Bool("json", false, "print a JSON object")
	paths := engine.Default()
	settings.PathFlags(fs, &paths)
	names, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(names) != 1 {
		return errors.New("model info: name one model; mindflow model list shows them")
	}
	manifest, err := models.Load(paths.Models)
	if err != nil {
		return err
	}
	e, err := manifest.Lookup(names[0])
	if r, ok := manifest.Recipe(names[0]); ok && err != nil {
		if *asJSON {
			return json.NewEncoder(out).Encode(r)
		}
		printRecipe(out, r)
		return nil
	}
	if err != nil {
		return err
	}
	l := describe(paths.Models, e)
	if *asJSON {
		return json.NewEncoder(out).Encode(l)
	}
	return printModel(out, l)
}

func printModel(out io.Writer, l modelState) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(t, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	row("name", "%s", l.Name)
	row("does", "%s (%s, read as %s)", l.Role, l.Format, l.Decoder)
	switch l.State {
	case missing:
		row("file", "%s is missing; mindflow model pull %s brings it", l.File, l.Name)
	case wrongSize:
		row("file", "%s has the wrong size; mindflow model verify %s says what to do", l.Path, l.Name)
	default:
		row("file", "%s", l.Path)
	}
	row("size", "%s", megabytes(l.Bytes))
	row("sha256", "%s", l.SHA256)
	row("source", "%s", l.Source)
	row("licence of the weights", "%s", l.Licence)
	row("trained on", "%s", l.TrainingData)
	if l.Input.Size > 0 {
		row("input", "%d pixels, %s, %d channels", l.Input.Size, l.Input.Colour, l.Input.Channels)
	}
	if l.Role == models.Classify {
		row("labels", "%s", strings.Join(l.Labels, ", "))
		row("temperature", "%g", l.Temperature)
		row("uncertain", "below %g", l.Uncertain)
	}
	if l.Notes != "" {
		row("notes", "%s", l.Notes)
	}
	return t.Flush()
}
