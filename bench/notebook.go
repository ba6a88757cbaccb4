package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"mindflow/bench/doctable"
	"mindflow/bench/process"
	"mindflow/pipeline/testkit"
)

// notebookPlan holds what the flags set.
type notebookPlan struct {
	process.Inputs
	python, reference, weights string
	runs, frames               int
	write                      bool
}

// runNotebook compares `mindflow video` with the loop of the notebook that Mindflow began as (notebook_loop.py), on the
// same clip, weights and processors. The ways take turns, and the median of their runs counts. It fails when a way
// misses its goal.
func runNotebook(ctx context.Context, flags *flag.FlagSet, args []string) error {
	var p notebookPlan
	p.AddFlags(flags)
	dir, _ := testkit.MediaDir()
	shared := filepath.Dir(dir)
	flags.StringVar(&p.python, "python", "/usr/bin/python3", "Python that has OpenCV and PyTorch, a `file`")
	flags.StringVar(&p.reference, "reference", filepath.Join(shared, "reference", "dan_reference.py"),
		"Python `file` that defines DAN and LABELS")
	flags.StringVar(&p.weights, "weights", filepath.Join(shared, "models", "dan-ferplus.pth"),
		"PyTorch checkpoint, a `file`")
	flags.IntVar(&p.runs, "runs", 3, "times that each way runs")
	flags.IntVar(&p.frames, "frames", 0, "stop the notebook's loop after so many frames; 0 means the whole clip")
	doctable.AddWriteFlag(flags, &p.write)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if p.runs < 1 || p.frames < 0 || flags.NArg() > 0 {
		return errors.New("use -runs of 1 or more, -frames of 0 or more, and no arguments")
	}
	return p.run(ctx)
}

func (p *notebookPlan) run(ctx context.Context) (err error) {
	if err := p.checkInputs(ctx); err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "notebook")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	args := []string{"model", "import", p.weights, "--size", "224", "--name", "dan-224", "--models", folder}
	if _, err := process.Run(ctx, p.Binary, args...); err != nil {
		return err
	}
	ways := p.ways(folder)
	text := fmt.Sprintf("%s, %s; medians of %d runs.\n\n", doctable.Measured(p.command()), doctable.Load(), p.runs)
	for n := range p.runs {
		for _, w := range ways {
			r, err := w.run(ctx)
			if err != nil {
				return err
			}
			fmt.Fprintf(os.Stderr, "run %d of %d, %s: %.1f frames a second\n", n+1, p.runs, w.name, r.speed)
			w.runs = append(w.runs, r)
		}
	}
	text += wayTable(ways)
	fmt.Print(text)
	if p.write {
		if err := doctable.Write("notebook", text); err != nil {
			return err
		}
	}
	return missedGoals(ways)
}

// command returns the command that repeats the measurement.
func (p *notebookPlan) command() string {
	if p.write && p.frames == 0 {
		return "make bench-notebook"
	}
	return doctable.Command("notebook", nil, "-runs", strconv.Itoa(p.runs), "-frames", strconv.Itoa(p.frames))
}

// checkInputs reports a missing file or library before minutes go by.
func (p *notebookPlan) checkInputs(ctx context.Context) error {
	files := map[string]string{"binary": p.Binary, "clip": p.Clip, "reference": p.reference, "weights": p.weights}
	for name, file := range files {
		if _, err := os.Stat(file); err != nil {
			return fmt.Errorf("%w; name another with -%s", err, name)
		}
	}
	if _, err := process.Run(ctx, p.python, "-c", "import cv2, torch, torchvision, PIL"); err != nil {
		text := strings.TrimSpace(err.Error())
		return fmt.Errorf("%s; make bench-notebook installs what it needs", text[strings.LastIndexByte(text, '\n')+1:])
	}
	return nil
}
