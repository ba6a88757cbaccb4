package modelcmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/cmd/mindflow/internal/terminal"
	"mindflow/models/engine"
	"mindflow/models/evaluate"
	"mindflow/models/evaluate/dataset"
)

// evalFlags are the settings of `eval` beside the engine's.
type evalFlags struct {
	asJSON              bool
	via, rule, vs, plot string
	set                 dataset.Options
	engine              engine.Settings
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

// Eval measures how well a model does on a data set.
func Eval() settings.Command {
	fs := settings.NewFlags("eval PATH")
	how := &evalFlags{engine: engine.Default()}
	fs.StringVar(&how.via, "via", "crop", "`how` faces are taken: crop (the picture is the face) or detector (find it "+
		"first)")
	fs.StringVar(&how.rule, "rule", string(dataset.Majority), "FER+: which `votes` make a class: majority (over half "+
		"of them) or plurality (the most); a picture without is dropped")
	fs.StringVar(&how.set.Split, "split", "Valid",
		"FER+ as a whole, or FER2013: its `part`, such as Train, Valid or Test")
	fs.StringVar(&how.set.Numbered, "numbered", "",
		"folders are numbers, in this `order`: model (its classes, from 0), rafdb (from 1), affectnet7 or affectnet8 "+
			"(from 0)")
	fs.StringVar(&how.vs, "vs", "", "also run this classifier, a `name` in the manifest, and compare")
	fs.BoolVar(&how.asJSON, "json", false, "print one JSON object")
	fs.StringVar(&how.plot, "plot", "", "also draw the confusion matrix to this PNG `file`")
	settings.EngineFlags(fs, &how.engine)
	return settings.Command{Flags: fs, Run: func(ctx context.Context, call settings.Call, out io.Writer) error {
		if err := how.check(); err != nil {
			return err
		}
		if len(call.Args) != 1 {
			return errors.New("eval: name one folder with a subfolder for each class, FER+ as a folder or .tar.gz, " +
				"or FER2013's .csv")
		}
		return how.evaluate(ctx, call.Args[0], out)
	}}
}

// evaluate evaluates the data set at path.
func (f *evalFlags) evaluate(ctx context.Context, path string, out io.Writer) (err error) {
	chosen := f.engine.WithFirstClassifier()
	if err := chosen.Check(); err != nil {
		return err
	}
	model := chosen.Classifiers[0]
	if f.vs == model {
		return fmt.Errorf("eval: --vs %s is the model itself; name another, or choose the first with --model", f.vs)
	}
	if f.vs != "" {
		chosen.Classifiers = []string{model, f.vs}
	}
	settings.ProbeAuto(ctx, &chosen)
	e, err := engine.Open(chosen)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	line := terminal.NewFrames(os.Stderr, "pictures")
	result, err := evaluate.Run(ctx, e, evaluate.Options{
		Path: path, Set: f.set, Detect: f.via == "detector",
		Progress: func(n, total int) { line.Show(path, n, total) },
	})
	line.Clear()
	if err != nil {
		return err
	}
	if f.asJSON {
		err = json.NewEncoder(out).Encode(result)
	} else {
		err = evaluate.Print(out, result, model, path)
	}
	if f.plot != "" { // last, so that a full disk costs no figures
		err = errors.Join(err, evaluate.Plot(f.plot, result, model))
	}
	return err
}
