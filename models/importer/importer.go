// Package importer makes a PyTorch checkpoint of DAN a model that runs here. It reads the checkpoint, writes the ONNX
// graph, compares ONNX Runtime's results with the checkpoint's arithmetic, and adds the entry to the user's models.
package importer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"

	"mindflow/models"
	"mindflow/models/checkpoint"
	"mindflow/models/dan"
	"mindflow/models/onnx"
	"mindflow/pipeline"
	"mindflow/pipeline/field"
	"mindflow/pipeline/ort"
)

// INT8 is the precision of a graph whose convolutions compute in 8 bits; DAN's graph is written in float32
// and then quantised.
const INT8 = dan.Precision("int8")

// Options configures an import.
type Options struct {
	Checkpoint string
	Name       string   // empty means that of the file
	Labels     []string // one name of published, or the labels; optional with eight classes
	Size       int      // side of the input, in pixels
	Grey       bool
	Precision  dan.Precision // empty means fp32
	Calibrate  string        // folder of faces, to store or to compute in int8; optional
	Replace    bool          // replace a model of that name
	Models     string        // folder of the user's models
	Library    string        // ONNX Runtime's shared library

	Progress func(step string, done, total int) // optional; a total of zero means a single step
}

// SetPrecision sets the precision by its name.
func (o *Options) SetPrecision(text string) error {
	switch p := dan.Precision(text); p {
	case dan.FP32, dan.FP16, INT8:
		o.Precision = p
		return nil
	}
	return fmt.Errorf("use %s, %s or %s", dan.FP32, dan.FP16, INT8)
}

// Import adds the model, prints to out what it did, and returns the entry. After an error no model is added or changed.
func Import(ctx context.Context, o Options, out io.Writer) (entry models.Entry, err error) {
	if err := o.prepare(); err != nil {
		return entry, err
	}
	release, err := models.Hold(o.Models, o.Name)
	if err != nil {
		return entry, err
	}
	defer func() { err = errors.Join(err, release()) }()
	o.show("reading "+o.Checkpoint, 0, 0)
	tensors, labels, err := o.read(ctx, out)
	if err != nil {
		return entry, err
	}
	o.show("writing the graph", 0, 0)
	stored := o.Precision
	if stored == INT8 {
		stored = dan.FP32
	}
	model, summary, err := dan.Build(tensors, stored)
	if err != nil {
		return entry, fmt.Errorf("%s: %w", o.Checkpoint, err)
	}
	o.printCosts(summary, out)
	part, err := o.part(model)
	if err != nil {
		return entry, err
	}
	defer os.Remove(part) // it has been renamed on success
	if o.Calibrate == "" {
		model = nil
		debug.FreeOSMemory() // before ONNX Runtime allocates as much
	}
	part, ranges, err := o.verify(ctx, part, tensors, model, summary, labels, out)
	if err != nil {
		return entry, err
	}
	defer os.Remove(part)
	entry, err = o.entry(ctx, part, labels, summary.Heads)
	entry.Ranges = ranges
	if ctx.Err() != nil {
		return entry, interrupted(ctx)
	}
	if err != nil {
		return entry, err
	}
	if !entry.HasAttention() {
		fmt.Fprintf(out, "  attention    left out: maps of %s at %d pixels are more than the %d values a face that "+
			"are told\n", count(summary.Heads, "head"), o.Size, pipeline.MaxAttention)
	}
	return entry, models.Add(o.Models, part, entry)
}

func interrupted(ctx context.Context) error {
	return fmt.Errorf("interrupted; nothing was added: %w", context.Cause(ctx))
}

func (o *Options) show(step string, done, total int) {
	if o.Progress != nil {
		o.Progress(step, done, total)
	}
}

// prepare sets defaults and validates the options, before the long work.
func (o *Options) prepare() error {
	if o.Precision == "" {
		o.Precision = dan.FP32
	}
	if strings.EqualFold(filepath.Ext(o.Checkpoint), ".onnx") {
		return fmt.Errorf(`%s: import reads PyTorch checkpoints; an ONNX file needs none, just an entry NAME.json `+
			`beside it: models/README.md, "Any other classifier", says what it holds`, o.Checkpoint)
	}
	if o.Name == "" {
		o.Name = nameOf(o.Checkpoint)
	}
	if err := models.CheckName(o.Name); err != nil {
		return &field.Error{Field: "Name", Err: err}
	}
	if o.Size < 32 || o.Size > 1024 {
		return field.Valuef("Size", o.Size, "use 32 to 1024 pixels, that of the pictures the network was trained on")
	}
	if o.Precision == INT8 && o.Calibrate == "" {
		return field.Errorf("Calibrate", "name a folder of faces, on which int8 measures its ranges")
	}
	if o.Models == "" {
		return field.Errorf("Models", "there is no home folder to keep models in; name a folder")
	}
	if err := o.checkFree(); err != nil {
		return err
	}
	if err := os.MkdirAll(o.Models, 0o755); err != nil {
		return field.Errorf("Models", "make the folder of your models: %w; name another", err)
	}
	return nil
}

// checkFree returns an error unless the name is free.
func (o *Options) checkFree() error {
	manifest, err := models.Load(o.Models)
	if err != nil {
		return err
	}
	if e, err := manifest.Lookup(o.Name); err == nil && e.Shipped() {
		return field.Valuef("Name", o.Name, "a model of that name is shipped; choose another")
	}
	path := filepath.Join(o.Models, o.Name+".json")
	_, err = os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && o.Replace {
		return nil
	}
	if err == nil {
		err = field.Valuef("Name", o.Name, "there is a model of that name (%s); choose another, or replace it", path)
	}
	return err
}

var notInNames = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// nameOf returns a model name for the checkpoint's file name.
func nameOf(path string) string {
	name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	return strings.Trim(notInNames.ReplaceAllString(name, "-"), "-._")
}

// read reads the weights, after their shapes are checked to be those of a DAN.
func (o *Options) read(ctx context.Context, out io.Writer) (tensors map[string]checkpoint.Tensor, labels []string,
	err error) {
	f, err := checkpoint.Open(o.Checkpoint)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	heads, classes, err := dan.Inspect(f.Shapes(), f.Unfit())
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", o.Checkpoint, err)
	}
	if labels, err = labelsFor(classes, o.Labels); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", o.Checkpoint, err)
	}
	fmt.Fprintf(out, "%s: a DAN with %s and %d classes, in %s\n", o.Checkpoint, count(heads, "head"), classes, f.Format)
	if f.Key != "" {
		fmt.Fprintf(out, "  weights      those under %.80q\n", f.Key)
	}
	if f.Prefix != "" {
		fmt.Fprintf(out, "  names        without their prefix %.80q\n", f.Prefix)
	}
	tensors, err = f.Read(ctx)
	if ctx.Err() != nil {
		err = interrupted(ctx)
	}
	return tensors, labels, err
}

func (o *Options) printCosts(s dan.Summary, out io.Writer) {
	drawn, built := dan.Costs(s.Heads, s.Classes, o.Size)
	fmt.Fprintf(out, "  parameters   %.2f million, %.2f in the graph\n", float64(drawn.Parameters)/1e6,
		float64(built.Parameters)/1e6)
	fmt.Fprintf(out, "  work a face  %.3f billion multiplications, %.3f in the graph, at %d by %[3]d pixels\n",
		float64(drawn.MACs)/1e9, float64(built.MACs)/1e9, o.Size)
}

// verify runs the graph in the file at part and refuses one with other results than the checkpoint. With faces to
// calibrate on it also tries the quantised graph. It then returns the quantised file for int8, or else the ranges,
// with which the file can be quantised when it is loaded.
func (o *Options) verify(ctx context.Context, part string, tensors map[string]checkpoint.Tensor, model *onnx.Model,
	s dan.Summary, labels []string, out io.Writer) (file string, ranges map[string][2]float32, err error) {
	rt, err := ort.Open(o.Library)
	if err != nil {
		return "", nil, err
	}
	defer func() { err = errors.Join(err, rt.Close()) }()
	if ctx.Err() != nil {
		return "", nil, interrupted(ctx)
	}
	o.show("checking the graph on ONNX Runtime", 0, 0)
	if err := o.check(rt, part, tensors, out); err != nil {
		return "", nil, err
	}
	if o.Calibrate == "" {
		return part, nil, nil
	}
	small, measured, err := o.quantise(ctx, rt, quantisation{part, model, s.Activations, labels}, out)
	if err != nil || o.Precision == INT8 {
		return small, nil, err
	}
	ranges = make(map[string][2]float32, len(measured))
	for name, r := range measured {
		ranges[name] = [2]float32{r.Low, r.High}
	}
	return part, ranges, os.Remove(small)
}

// count returns a number of things in words.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
