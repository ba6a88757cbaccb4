package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/models/engine"
	"mindflow/models/importer"
)

// importModel is `mindflow model import`.
func importModel(ctx context.Context, args []string, out io.Writer) error {
	fs := flag.NewFlagSet("mindflow model import CHECKPOINT.pth", flag.ContinueOnError)
	o := importer.Options{}
	fs.StringVar(&o.Name, "name", "", "`name` of the model; by default that of the file")
	labels := list{}
	fs.Var(&labels, "labels", "affectnet8, affectnet7, rafdb or the `list` of labels in the checkpoint's order")
	fs.IntVar(&o.Size, "size", 224, "side of the input that the network was trained on, in `pixels`")
	fs.BoolVar(&o.Grey, "grey", false, "the network was trained on grey pictures")
	fs.Func("precision", "fp32 (default), fp16 or int8: how weights are stored", o.SetPrecision)
	fs.StringVar(&o.Calibrate, "calibrate", "", "`folder` of face pictures to measure ranges on, for int8: with another precision the model can be served with --precision int8, too")
	fs.BoolVar(&o.Replace, "replace", false, "replace the model of that name")
	paths := engine.Default()
	settings.PathFlags(fs, &paths)
	files, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(files) != 1 {
		return errors.New("model import: name one checkpoint")
	}
	o.Checkpoint, o.Labels, o.Models, o.Library = files[0], labels, paths.Models, paths.Library
	if isTerminal(os.Stderr) {
		o.Progress = showStep
		defer fmt.Fprint(os.Stderr, "\r\x1b[K")
	}
	return importer.Import(ctx, o, stepped{out})
}

// showStep keeps one line of stderr, a terminal, up to date.
func showStep(step string, done, total int) {
	if total > 0 {
		step = fmt.Sprintf("%s: %d of %d", step, done+1, total)
	}
	fmt.Fprintf(os.Stderr, "\r\x1b[K%s", step)
}

// stepped writes lines where showStep's stands.
type stepped struct{ out io.Writer }

func (s stepped) Write(p []byte) (int, error) {
	if isTerminal(s.out) && isTerminal(os.Stderr) {
		fmt.Fprint(os.Stderr, "\r\x1b[K")
	}
	return s.out.Write(p)
}
