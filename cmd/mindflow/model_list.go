package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"mindflow/cmd/engine"
	"mindflow/models"
)

// States of a model's file, told without reading it.
const (
	ready     = "ready"
	missing   = "missing"
	wrongSize = "wrong size"
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

// listModels is `mindflow model list`.
func listModels(_ context.Context, args []string, out io.Writer) error {
	fs := flag.NewFlagSet("mindflow model list", flag.ContinueOnError)
	asJSON := fs.Bool("json", false, "print one JSON object a line")
	settings := engine.PathFlags(fs)
	if rest, err := parse(fs, args); err != nil {
		return err
	} else if len(rest) > 0 {
		return errors.New("model list: takes no names; model info NAME tells of one")
	}
	manifest, err := models.Load(settings.Models)
	if err != nil {
		return err
	}
	if *asJSON {
		for _, e := range manifest.Models {
			if err := json.NewEncoder(out).Encode(describe(settings.Models, e)); err != nil {
				return err
			}
		}
		return nil
	}
	return printModels(out, manifest, settings.Models)
}

func printModels(out io.Writer, manifest *models.Manifest, dir string) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tDOES\tSTATE\tSIZE\tLICENCE OF THE WEIGHTS\tTRAINED ON")
	have := map[string]bool{}
	for _, e := range manifest.Models {
		have[e.Name] = true
		l := describe(dir, e)
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", e.Name, e.Role, l.State, megabytes(e.Bytes), short(e.Licence), short(e.TrainingData))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(manifest.Faults)) {
		fmt.Fprintf(out, "\nleft out: %v\n", manifest.Faults[name])
	}
	for _, r := range manifest.Recipes {
		if !have[r.Name] {
			fmt.Fprintf(out, "\n%s: %s. Licence: %s.\n", r.Name, r.About, r.Licence)
			printSteps(out, r)
		}
	}
	_, err := fmt.Fprintln(out, "\nmindflow model info NAME tells more; mindflow model pull NAME brings what is missing.")
	return err
}

func printSteps(out io.Writer, r models.Recipe) {
	for i, step := range r.Steps {
		fmt.Fprintf(out, "  %d. %s\n", i+1, step)
	}
}

// short cuts a cell of the table at its first break; info shows the whole.
func short(s string) string {
	const most = 40 // characters
	if i := strings.IndexAny(s, ":;,("); i > 0 {
		s = strings.TrimSpace(s[:i])
	}
	if r := []rune(s); len(r) > most {
		s = string(r[:most-1]) + "…"
	}
	return s
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
