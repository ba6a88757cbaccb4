package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/cmd/mindflow/internal/terminal"
	"mindflow/models"
	"mindflow/models/engine"
)

// ModelInfo prints all about one model.
func ModelInfo() settings.Command {
	fs := settings.NewFlags("model info NAME")
	asJSON := fs.Bool("json", false, "print a JSON object")
	paths := engine.Default()
	settings.PathFlags(fs, &paths)
	return settings.Command{Flags: fs, Run: func(_ context.Context, call settings.Call, out io.Writer) error {
		if len(call.Args) != 1 {
			return errors.New("model info: name one model; mindflow model list shows them")
		}
		return info(paths.Models, call.Args[0], *asJSON, out)
	}}
}

func info(dir, name string, asJSON bool, out io.Writer) error {
	manifest, err := models.Load(dir)
	if err != nil {
		return err
	}
	e, err := manifest.Lookup(name)
	if r, ok := manifest.Recipe(name); ok && err != nil {
		if asJSON {
			return json.NewEncoder(out).Encode(r)
		}
		printRecipe(out, r)
		return nil
	}
	if err != nil {
		return err
	}
	l := describe(dir, e)
	if asJSON {
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
	row("size", "%s", terminal.Megabytes(l.Bytes))
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
