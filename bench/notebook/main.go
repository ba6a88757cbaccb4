// Notebook compares `mindflow video` with the loop of the notebook that Mindflow began as (bench/notebook_loop.py), on the
// same clip, weights and processors. The ways take turns, and the median of their runs counts.
//
//	go run ./bench/notebook -reference DAN.py -weights CHECKPOINT.pth
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"mindflow/bench/doctable"
	"mindflow/bench/process"
	"mindflow/pipeline/testkit"
)

// plan is what the flags say.
type plan struct {
	binary, clip, python, reference, weights string
	runs, frames                             int
	write                                    bool
}

func main() {
	process.Main("notebook", func(ctx context.Context) error {
		var p plan
		dir, _ := testkit.MediaDir()
		flag.StringVar(&p.binary, "binary", process.Binary(), "mindflow, a `file`")
		flag.StringVar(&p.clip, "clip", process.Clip(), "video `file` with a face")
		flag.StringVar(&p.python, "python", "/usr/bin/python3", "Python that has OpenCV and PyTorch, a `file`")
		flag.StringVar(&p.reference, "reference", filepath.Join(dir, "..", "reference", "dan_reference.py"), "Python `file` that defines DAN and LABELS")
		flag.StringVar(&p.weights, "weights", filepath.Join(dir, "..", "models", "dan-ferplus.pth"), "PyTorch checkpoint of it, a `file`")
		flag.IntVar(&p.runs, "runs", 3, "times that each way runs")
		flag.IntVar(&p.frames, "frames", 0, "stop the notebook's loop after so many frames, to try this command; 0 is the whole clip")
		flag.BoolVar(&p.write, "write", false, "write the table into "+doctable.Name)
		flag.Parse()
		if p.runs < 1 || p.frames < 0 {
			return errors.New("use -runs of 1 or more, -frames of 0 or more")
		}
		return p.run(ctx)
	})
}

func (p *plan) run(ctx context.Context) (err error) {
	if err := p.found(ctx); err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "notebook")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	if _, err := process.Run(ctx, p.binary, "model", "import", p.weights, "--size", "224", "--name", "dan-224", "--models", folder); err != nil {
		return err
	}
	ways := p.ways(folder)
	text := fmt.Sprintf("%s, %s; medians of %d runs.\n\n", doctable.Measured("make bench-notebook"), doctable.Busy(), p.runs)
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
	text += table(ways)
	fmt.Print(text)
	if p.write {
		if err := doctable.Write("notebook", text); err != nil {
			return err
		}
	}
	return missed(ways)
}

// found says what is not there before minutes go by.
func (p *plan) found(ctx context.Context) error {
	for name, file := range map[string]string{"binary": p.binary, "clip": p.clip, "reference": p.reference, "weights": p.weights} {
		if _, err := os.Stat(file); err != nil {
			return fmt.Errorf("%w; name another by -%s", err, name)
		}
	}
	if _, err := process.Run(ctx, p.python, "-c", "import cv2, torch, torchvision, PIL"); err != nil {
		text := strings.TrimSpace(err.Error())
		return fmt.Errorf("%s; make bench-notebook installs what it needs", text[strings.LastIndexByte(text, '\n')+1:])
	}
	return nil
}
