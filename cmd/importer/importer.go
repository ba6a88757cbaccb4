// Package importer makes a PyTorch checkpoint of DAN a model that runs here: it reads the checkpoint, writes
// the ONNX graph, holds what ONNX Runtime computes with it against the checkpoint's own arithmetic, and
// adds the entry to the user's models.
package importer

import (
	"context"
	"crypto/sha256"
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
	"mindflow/pipeline"
	"mindflow/pipeline/ort"
)

// Options say what to import and how.
type Options struct {
	Checkpoint string
	Name       string   // "" for one that follows from the file's
	Labels     []string // one name of published, or the labels; none where eight classes tell
	Size       int      // side of the input, pixels
	Grey       bool
	Precision  dan.Precision // "" is fp32
	Replace    bool          // a model of that name
	Models     string        // folder of the user's models
	Library    string        // ONNX Runtime's shared library
}

// SetPrecision is the --precision flag.
func (o *Options) SetPrecision(text string) error {
	o.Precision = dan.Precision(text)
	if o.Precision != dan.FP32 && o.Precision != dan.FP16 {
		return fmt.Errorf("use %s or %s", dan.FP32, dan.FP16)
	}
	return nil
}

// Import adds the model and tells on out what it did. After an error no model is added or changed.
func Import(_ context.Context, o Options, out io.Writer) error {
	if err := o.prepare(); err != nil {
		return err
	}
	tensors, labels, err := o.read(out)
	if err != nil {
		return err
	}
	part, err := o.build(tensors, out)
	if err != nil {
		return err
	}
	defer os.Remove(part) // it has gone where all went well
	debug.FreeOSMemory()  // the graph's, before ONNX Runtime takes as much

	if err := o.check(part, tensors, out); err != nil {
		return err
	}
	entry, err := o.entry(part, labels)
	if err != nil {
		return err
	}
	if err := o.add(part, entry); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "added %s; next: mindflow serve --model %s\n", filepath.Join(o.Models, entry.File), entry.Name)
	return err
}

// prepare fills in what was left out and refuses what cannot be done, before the long work.
func (o *Options) prepare() error {
	if o.Precision == "" {
		o.Precision = dan.FP32
	}
	if o.Name == "" {
		o.Name = nameOf(o.Checkpoint)
	}
	if err := models.CheckName(o.Name); err != nil {
		return fmt.Errorf("%w: --name NAME", err)
	}
	if o.Size < 32 || o.Size > 1024 {
		return fmt.Errorf("--size %d: use 32 to 1024 pixels, that of the pictures the network was trained on", o.Size)
	}
	if o.Models == "" {
		return errors.New("there is no home folder to keep models in; name a folder with --models")
	}
	manifest, err := models.Default()
	if err != nil {
		return err
	}
	if _, err := manifest.Lookup(o.Name); err == nil {
		return fmt.Errorf("a model named %s is shipped; choose another with --name", o.Name)
	}
	path := filepath.Join(o.Models, o.Name+".json")
	if _, err := os.Stat(path); err == nil && !o.Replace {
		return fmt.Errorf("there is a model named %s (%s); choose another with --name, or add --replace", o.Name, path)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// read reads the weights, after a look at the shapes says that they are a DAN's.
func (o *Options) read(out io.Writer) (tensors map[string]checkpoint.Tensor, labels []string, err error) {
	f, err := checkpoint.Open(o.Checkpoint)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	heads, classes, err := dan.Inspect(f.Shapes())
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", o.Checkpoint, err)
	}
	if labels, err = labelsFor(classes, o.Labels); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", o.Checkpoint, err)
	}
	fmt.Fprintf(out, "%s: a DAN with %s and %d classes, in %s\n", o.Checkpoint, count(heads, "head"), classes, f.Format)
	tensors, err = f.Read()
	return tensors, labels, err
}

var notInNames = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// nameOf makes a name of the checkpoint's file name.
func nameOf(path string) string {
	name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	return strings.Trim(notInNames.ReplaceAllString(name, "-"), "-._")
}

// build puts the graph into a file of the models' folder that belongs to no model yet.
func (o *Options) build(tensors map[string]checkpoint.Tensor, out io.Writer) (part string, err error) {
	model, summary, err := dan.Build(tensors, o.Precision)
	if err != nil {
		return "", fmt.Errorf("%s: %w", o.Checkpoint, err)
	}
	drawn, built := dan.Costs(summary.Heads, summary.Classes, o.Size)
	fmt.Fprintf(out, "  parameters   %.2f million, %.2f in the graph\n  work a face  %.3f billion multiplications, %.3f in the graph, at %d by %[5]d pixels\n",
		float64(drawn.Parameters)/1e6, float64(built.Parameters)/1e6, float64(drawn.MACs)/1e9, float64(built.MACs)/1e9, o.Size)
	if err := os.MkdirAll(o.Models, 0o755); err != nil {
		return "", fmt.Errorf("make the folder of your models: %w", err)
	}
	f, err := os.CreateTemp(o.Models, "."+o.Name+".onnx.part*")
	if err != nil {
		return "", fmt.Errorf("write model: %w", err)
	}
	_, err = model.WriteTo(f)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return "", errors.Join(fmt.Errorf("write model: %w", err), os.Remove(f.Name()))
	}
	return f.Name(), nil
}

// limits are how far outputs may be from the checkpoint's arithmetic; rounded weights go astray further.
var limits = map[dan.Precision]float64{dan.FP32: 1e-4, dan.FP16: 2e-2}

// check refuses a graph that computes something else than the checkpoint.
func (o *Options) check(part string, tensors map[string]checkpoint.Tensor, out io.Writer) (err error) {
	rt, err := ort.Open(o.Library)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rt.Close()) }()
	d, err := check(rt, part, tensors)
	if err != nil {
		return err
	}
	limit := limits[o.Precision]
	if !(d.logits <= limit && d.attention <= limit) {
		return fmt.Errorf("%s: ONNX Runtime's logits differ from the checkpoint's own arithmetic by %.1g and its attention by %.1g, allowed is %.0g; nothing was added", o.Checkpoint, d.logits, d.attention, limit)
	}
	fmt.Fprintf(out, "  check        ONNX Runtime's logits are within %.1g of the checkpoint's own arithmetic in float64, its attention within %.1g\n", d.logits, d.attention)
	return nil
}

// entry describes the model whose file is, for now, at part.
func (o *Options) entry(part string, labels []string) (e models.Entry, err error) {
	bytes, sum, err := digest(part)
	if err != nil {
		return e, err
	}
	_, source, err := digest(o.Checkpoint)
	if err != nil {
		return e, err
	}
	colour := pipeline.RGB
	if o.Grey {
		colour = pipeline.Grey
	}
	return models.Entry{
		Model: pipeline.Model{
			Name:    o.Name,
			Decoder: "dan",
			Input: pipeline.Input{Name: "input", Size: o.Size, Layout: pipeline.NCHW, Colour: colour, Channels: 3,
				Scale: 1.0 / 255, Mean: [3]float32{0.485, 0.456, 0.406}, Std: [3]float32{0.229, 0.224, 0.225}},
			Crop:        &pipeline.CropRule{Scale: 1.25, Shift: [2]float32{0, -0.06}},
			Outputs:     []pipeline.Output{{Name: "logits", Kind: "logits"}, {Name: "attention", Kind: "attention"}},
			Labels:      labels,
			Temperature: 1,
			Uncertain:   0.45,
		},
		Role: models.Classify, Format: "onnx",
		File: o.Name + ".onnx", SHA256: sum, Bytes: bytes,
		Source:       models.ImportedFrom(fmt.Sprintf("%s (sha256 %s), %s", filepath.Base(o.Checkpoint), source, o.Precision)),
		Licence:      "not stated; that of the checkpoint",
		TrainingData: "not stated; that of the checkpoint",
	}, nil
}

func digest(path string) (bytes int64, sum string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, "", err
	}
	defer f.Close()
	hash := sha256.New()
	if bytes, err = io.Copy(hash, f); err != nil {
		return 0, "", fmt.Errorf("read %s: %w", path, err)
	}
	return bytes, fmt.Sprintf("%x", hash.Sum(nil)), nil
}

// add makes the file at part and the entry a model. Until the entry is there the file is none.
func (o *Options) add(part string, e models.Entry) error {
	if err := os.Rename(part, filepath.Join(o.Models, e.File)); err != nil {
		return fmt.Errorf("write model: %w", err)
	}
	return models.WriteEntry(o.Models, e)
}

// count is a number of things in words.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
