package modelcmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/cmd/mindflow/internal/terminal"
	"mindflow/models"
	"mindflow/models/engine"
)

// States of a model. None needs the file to be read.
const (
	ready     = "ready"
	missing   = "missing"
	wrongSize = "wrong size"
	toImport  = "to import" // a recipe: no model yet
	faulty    = "faulty"    // its entry cannot be read
)

// modelState is one model of `model list --json` and `model info --json`.
type modelState struct {
	models.Entry
	State string `json:"state"`
	Path  string `json:"path,omitempty"`
}

func describe(dir string, e models.Entry) modelState {
	l := modelState{Entry: e, State: missing, Path: engine.Locate(dir, e)}
	if l.Path == "" {
		return l
	}
	l.State = ready
	if info, err := os.Stat(l.Path); err != nil || info.Size() != e.Bytes {
		l.State = wrongSize
	}
	return l
}

// List prints the models, their state and the licence of their weights.
func List() settings.Command {
	fs := settings.NewFlags("model list")
	asJSON := fs.Bool("json", false, "print one JSON object a line")
	paths := engine.Default()
	settings.PathFlags(fs, &paths)
	return settings.Command{Flags: fs, Run: func(_ context.Context, call settings.Call, out io.Writer) error {
		if len(call.Args) > 0 {
			return errors.New("model list: takes no names; model info NAME tells of one")
		}
		manifest, err := models.Load(paths.Models)
		if err != nil {
			return err
		}
		if *asJSON {
			return encodeModels(json.NewEncoder(out), manifest, paths.Models)
		}
		return printModels(out, manifest, paths.Models)
	}}
}

// encodeModels writes an object for all that printModels shows.
func encodeModels(out *json.Encoder, manifest *models.Manifest, dir string) (err error) {
	for _, e := range manifest.Models {
		err = errors.Join(err, out.Encode(describe(dir, e)))
	}
	for _, name := range slices.Sorted(maps.Keys(manifest.Faults)) {
		err = errors.Join(err, out.Encode(map[string]string{"name": name, "state": faulty,
			"error": manifest.Faults[name].Error()}))
	}
	for _, r := range missingRecipes(manifest) {
		err = errors.Join(err, out.Encode(struct {
			models.Recipe
			State string `json:"state"`
		}{r, toImport}))
	}
	return err
}

// missingRecipes are those whose model was not made yet.
func missingRecipes(manifest *models.Manifest) (list []models.Recipe) {
	for _, r := range manifest.Recipes {
		if !slices.ContainsFunc(manifest.Models, func(e models.Entry) bool { return e.Name == r.Name }) {
			list = append(list, r)
		}
	}
	return list
}

func printModels(out io.Writer, manifest *models.Manifest, dir string) error {
	width := 0
	for _, e := range manifest.Models {
		width = max(width, len(e.Name))
	}
	for _, e := range manifest.Models {
		l := describe(dir, e)
		fmt.Fprintf(out, "%-*s  %-8s  %-10s  %9s\n", width, e.Name, e.Role, l.State, terminal.Megabytes(e.Bytes))
		printProvenance(out, e.Licence, e.TrainingData)
	}
	for _, name := range slices.Sorted(maps.Keys(manifest.Faults)) {
		fmt.Fprintf(out, "\nleft out: %v\n", manifest.Faults[name])
	}
	for _, r := range missingRecipes(manifest) {
		fmt.Fprintln(out)
		printRecipe(out, r)
	}
	_, err := fmt.Fprintln(out, "\nmindflow model info NAME tells more; mindflow model pull NAME brings what is "+
		"missing.")
	return err
}

func printRecipe(out io.Writer, r models.Recipe) {
	fmt.Fprintf(out, "%s: %s\n", r.Name, r.About)
	printProvenance(out, r.Licence, r.TrainingData)
	for i, step := range r.Steps {
		fmt.Fprintf(out, "  %d. %s\n", i+1, step)
	}
}

// printProvenance writes whole what decides whether weights may be used.
func printProvenance(out io.Writer, licence, data string) {
	fmt.Fprintf(out, "  licence of the weights: %s\n  trained on: %s\n", licence, data)
}

// Info prints all about one model.
func Info() settings.Command {
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
