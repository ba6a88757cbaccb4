package modelcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/cmd/mindflow/internal/terminal"
	"mindflow/models"
	"mindflow/models/engine"
	"mindflow/models/importer"
)

// Import makes a checkpoint of DAN a model that runs here.
func Import() settings.Command {
	fs := settings.NewFlags("model import CHECKPOINT.pth")
	o := importer.Options{}
	fs.StringVar(&o.Name, "name", "", "`name` of the model; by default that of the file")
	labels := settings.List{}
	fs.Var(&labels, "labels", "affectnet8, affectnet7, rafdb or the `list` of labels in the checkpoint's order")
	fs.IntVar(&o.Size, "size", 224, "side of the input that the network was trained on, in `pixels`")
	fs.BoolVar(&o.Grey, "grey", false, "the network was trained on grey pictures")
	fs.Func("precision", "fp32 (default), fp16 or int8: how weights are stored", o.SetPrecision)
	fs.StringVar(&o.Calibrate, "calibrate", "", "`folder` of face pictures to measure ranges on, for int8: with "+
		"another precision the model can be served with --precision int8, too")
	fs.BoolVar(&o.Replace, "replace", false, "replace the model of that name")
	paths := engine.Default()
	settings.PathFlags(fs, &paths)
	return settings.Command{Flags: fs, Run: func(ctx context.Context, call settings.Call, out io.Writer) error {
		if len(call.Args) != 1 {
			return errors.New("model import: name one checkpoint")
		}
		o.Checkpoint, o.Labels, o.Models, o.Library = call.Args[0], labels, paths.Models, paths.Library
		line := terminal.NewLine(os.Stderr, 0)
		defer line.Clear()
		o.Progress = func(step string, done, total int) {
			if total > 0 {
				step = fmt.Sprintf("%s: %d of %d", step, done+1, total)
			}
			line.Show(step)
		}
		p := printer{out, line}
		entry, err := importer.Import(ctx, o, p)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p, "added %s; next: mindflow serve --model %s%s\n",
			filepath.Join(o.Models, entry.File), entry.Name, modelsFlag(o.Models))
		return err
	}}
}

// modelsFlag returns the flag that names the folder of models, where that is not the default one.
func modelsFlag(folder string) string {
	if usual, err := models.UserFolder(); err == nil && filepath.Clean(folder) == usual {
		return ""
	}
	return " --models " + folder
}

// printer prints on the terminal that also has the line of progress.
type printer struct {
	io.Writer
	line *terminal.Line
}

func (p printer) Write(text []byte) (int, error) {
	if terminal.Is(p.Writer) {
		p.line.Clear()
	}
	return p.Writer.Write(text)
}
