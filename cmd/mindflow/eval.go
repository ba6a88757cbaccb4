package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/models/dataset"
	"mindflow/models/engine"
	"mindflow/models/evaluate"
)

// evalFlags are the settings of `eval` beside the engine's.
type evalFlags struct {
	asJSON              bool
	via, rule, vs, plot string
	set                 dataset.Options
}

func (f *evalFlags) check() error {
	f.set.Rule = dataset.Rule(f.rule)
	switch {
	case f.via != "crop" && f.via != "detector":
		return fmt.Errorf("--via %s: use crop (the picture is the face) or detector (find it first)", f.via)
	case f.set.Rule != dataset.Majority && f.set.Rule != dataset.Plurality:
		return fmt.Errorf("--rule %s: use %s or %s", f.rule, dataset.Majority, dataset.Plurality)
	case f.plot != "":
		return evaluate.CheckPlot(f.plot)
	}
	return nil
}

// evaluation says how well a model does on a data set.
func evaluation(ctx context.Context, args []string, out io.Writer) (err error) {
	fs := flag.NewFlagSet("mindflow eval PATH", flag.ContinueOnError)
	var how evalFlags
	fs.StringVar(&how.via, "via", "crop", "`how` faces are taken: crop (the picture is the face) or detector (find it first)")
	fs.StringVar(&how.rule, "rule", string(dataset.Majority), "FER+: which `votes` make a class: majority (over half of them) or plurality (the most); a picture without is dropped")
	fs.StringVar(&how.set.Split, "split", "Valid", "FER+ as a whole: its `part`, such as Train, Valid or Test")
	fs.BoolVar(&how.set.Numbered, "numbered", false, "folders are numbers: the places of the model's classes, from 0")
	fs.StringVar(&how.vs, "vs", "", "also run this classifier, a `name` in the manifest, and compare")
	fs.BoolVar(&how.asJSON, "json", false, "print one JSON object")
	fs.StringVar(&how.plot, "plot", "", "also draw the confusion matrix to this PNG `file`")
	chosen := engine.Default()
	settings.EngineFlags(fs, &chosen)
	names, err := parse(fs, args)
	if err != nil {
		return err
	}
	if err := how.check(); err != nil {
		return err
	}
	if len(names) != 1 {
		return errors.New("eval: name one folder with a subfolder for each class, or FER+ as a folder or .tar.gz")
	}
	chosen = chosen.Alone()
	if err := chosen.Check(); err != nil {
		return err
	}
	model := chosen.Classifiers[0]
	if how.vs == model {
		return fmt.Errorf("eval: --vs %s is the model itself; name another, or choose the first with --model", how.vs)
	}
	if how.vs != "" {
		chosen.Classifiers = []string{model, how.vs}
	}
	tryAuto(ctx, &chosen)
	e, err := engine.Open(chosen)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	var line *progress
	if isTerminal(os.Stderr) {
		line = &progress{out: os.Stderr, now: time.Now, unit: "pictures"}
	}
	result, err := evaluate.Run(ctx, e, evaluate.Options{
		Path: names[0], Set: how.set, Detect: how.via == "detector",
		Progress: func(n, total int) { line.show(names[0], n, total) },
	})
	line.clear()
	if err != nil {
		return err
	}
	if how.asJSON {
		err = json.NewEncoder(out).Encode(result)
	} else {
		err = evaluate.Print(out, result, model, names[0])
	}
	if how.plot != "" { // last, so that a full disk costs no figures
		err = errors.Join(err, evaluate.Plot(how.plot, result, model))
	}
	return err
}
