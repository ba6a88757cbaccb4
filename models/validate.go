package models

import (
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"mindflow/pipeline"
)

// validate returns the faults of all entries.
func (m *Manifest) validate() error {
	if len(m.Models) == 0 {
		return errors.New("models: the list is empty")
	}
	var faults []error
	seen := map[string]bool{}
	for i, e := range m.Models {
		c := checker{entry: fmt.Sprintf("entry %q", e.Name)}
		if e.Name == "" {
			c.entry = fmt.Sprintf("entry %d", i+1)
		}
		c.require(e.Name != "", "name", "is missing")
		c.require(!seen[e.Name], "name", "is taken by an earlier entry")
		seen[e.Name] = true
		c.file(e)
		if e.Format != Cascade {
			c.input(e.Input)
			c.outputs(e.Outputs)
		}
		switch {
		case e.Format == Cascade:
			c.cascade(e)
		case e.Role == Detect:
			c.detector(e)
		case e.Role == Classify:
			c.classifier(e)
		}
		faults = append(faults, c.faults...)
	}
	for i, r := range m.Recipes {
		c := checker{entry: fmt.Sprintf("recipe %d", i+1)}
		c.require(r.Name != "" && !seen[r.Name], "name", "is %q, want one that no model has", r.Name)
		seen[r.Name] = true
		c.require(r.About != "" && r.Licence != "" &&
			r.TrainingData != "", "about, licence or training_data", "is missing")
		c.require(len(r.Steps) > 0, "steps", "is empty")
		faults = append(faults, c.faults...)
	}
	return errors.Join(faults...)
}

// checker collects the faults of one entry.
type checker struct {
	entry  string
	faults []error
}

func (c *checker) require(ok bool, field, fault string, args ...any) {
	if !ok {
		c.faults = append(c.faults, fmt.Errorf("%s: %s %s", c.entry, field, fmt.Sprintf(fault, args...)))
	}
}

func (c *checker) oneOf(field, value string, allowed ...string) {
	c.require(slices.Contains(allowed, value), field, "is %q, want one of %s", value, strings.Join(allowed, ", "))
}

func (c *checker) file(e Entry) {
	c.oneOf("role", e.Role, Detect, Classify)
	c.oneOf("format", e.Format, ONNX, Cascade)
	c.oneOf("decoder", e.Decoder, "blazeface", "yunet", "haar", "dan", "plain")
	c.require(e.File != "" && e.File == filepath.Base(e.File) &&
		filepath.IsLocal(e.File), "file", "is %q, want the name of a file without a folder", e.File)
	c.require((e.Decoder == "haar") == (e.Format == Cascade), "decoder",
		"is %q for a file of format %s; haar reads cascades and nothing else does", e.Decoder, e.Format)
	c.require(e.Folder == "" || filepath.IsAbs(e.Folder), "folder", "is %q, want a path from the root", e.Folder)
	sum, err := hex.DecodeString(e.SHA256)
	c.require(err == nil && len(sum) == 32 &&
		e.SHA256 == strings.ToLower(e.SHA256), "sha256", "is %q, want 64 lower case hex digits", e.SHA256)
	c.require(e.Bytes > 0, "bytes", "is %d, want the size of the file", e.Bytes)
	c.require(e.Source != "", "source", "is missing")
	c.require(e.Licence != "", "licence", "is missing")
	c.require(e.TrainingData != "", "training_data", "is missing")
}

func (c *checker) input(in pipeline.Input) {
	c.require(in.Name != "", "input.name", "is missing")
	c.require(in.Size > 0 && in.Size <= 4096, "input.size", "is %d, want 1 to 4096 pixels", in.Size)
	c.oneOf("input.layout", in.Layout, pipeline.NCHW, pipeline.NHWC)
	c.oneOf("input.colour", in.Colour, pipeline.RGB, pipeline.BGR, pipeline.Grey)
	c.require(in.Channels == 3 ||
		in.Channels == 1 && in.Colour == pipeline.Grey, "input.channels", "is %d, want 3, or 1 where colour is grey",
		in.Channels)
	c.require(!in.Dynamic || in.Size >= 32, "input.size", "is %d, want 32 or more where any size is taken", in.Size)
	c.require(in.Scale > 0, "input.scale", "is %g, want a positive number", in.Scale)
	if in.Filter != "" {
		c.oneOf("input.filter", in.Filter, pipeline.Area, pipeline.Triangle)
	}
	for i, v := range in.Std {
		c.require(v > 0, fmt.Sprintf("input.std[%d]", i), "is %g, want a positive number", v)
	}
}

func (c *checker) outputs(outputs []pipeline.Output) {
	c.require(len(outputs) > 0, "outputs", "is empty")
	for i, o := range outputs {
		c.require(o.Name != "", fmt.Sprintf("outputs[%d].name", i), "is missing")
		c.oneOf(fmt.Sprintf("outputs[%d].kind", i), o.Kind, "scores", "objectness", "boxes", "points",
			pipeline.Logits, pipeline.Probabilities, pipeline.AttentionMaps)
		c.require(o.Slice == nil || o.Kind == pipeline.Logits || o.Kind == pipeline.Probabilities,
			fmt.Sprintf("outputs[%d].slice", i), "belongs to logits or probabilities")
	}
}

func (c *checker) cascade(e Entry) {
	c.require(e.Role == Detect, "role", "is %q, a cascade can only detect", e.Role)
	c.require(e.Crop == nil, "crop", "belongs to a classifier")
	if c.require(e.Cascade != nil, "cascade", "is missing"); e.Cascade != nil {
		c.require(e.Cascade.Scale >= 1.01 &&
			e.Cascade.Scale <= 10, "cascade.scale", "is %g, want 1.01 to 10", e.Cascade.Scale)
		c.require(e.Cascade.Neighbours >= 0, "cascade.neighbours", "is %d, want no negative number",
			e.Cascade.Neighbours)
		c.require(e.Cascade.MinPx > 0, "cascade.min_px", "is %d, want a number of pixels", e.Cascade.MinPx)
	}
}

func (c *checker) detector(e Entry) {
	c.require(e.Threshold > 0 && e.Threshold < 1, "threshold", "is %g, want a probability between 0 and 1", e.Threshold)
	c.require(len(e.Ranges) == 0, "ranges", "belong to a classifier")
	c.require(e.NMS > 0 && e.NMS < 1, "nms", "is %g, want an overlap between 0 and 1", e.NMS)
	c.require(e.Crop == nil, "crop", "belongs to a classifier")
}

func (c *checker) classifier(e Entry) {
	c.require(!e.Input.Dynamic, "input.dynamic", "is true, a classifier takes one size")
	c.require(len(e.Labels) > 1 && len(e.Labels) <= 64, "labels", "has %d names, want 2 to 64", len(e.Labels))
	for i, label := range e.Labels {
		c.require(label != "" &&
			len(label) <= 64, fmt.Sprintf("labels[%d]", i), "has %d bytes, want 1 to 64", len(label))
		c.require(!slices.Contains(e.Labels[:i], label), fmt.Sprintf("labels[%d]", i), "repeats %q", label)
	}
	c.require(e.Temperature > 0, "temperature", "is %g, want a positive number", e.Temperature)
	c.require(e.Uncertain >= 0 &&
		e.Uncertain < 1, "uncertain", "is %g, want a confidence from 0 to below 1", e.Uncertain)
	for name, r := range e.Ranges {
		c.require(name != "" && r[0] < r[1], "ranges", "of %q is %v, want its least and its largest value", name, r)
	}
	c.require(len(e.Ranges) == 0 ||
		e.Decoder == "dan", "ranges", "belong to a DAN: of others it is not known what may be stored in 8 bits")
	if c.require(e.Crop != nil, "crop", "is missing"); e.Crop != nil {
		c.require(e.Crop.MarginPx >= 0, "crop.margin_px", "is %g, want no negative number", e.Crop.MarginPx)
		c.require(e.Crop.MarginPx > 0 ||
			e.Crop.Scale > 0, "crop.scale", "is %g, want a positive number, or margin_px instead", e.Crop.Scale)
	}
}
