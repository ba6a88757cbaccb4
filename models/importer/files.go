package importer

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"mindflow/models"
	"mindflow/models/onnx"
	"mindflow/pipeline"
)

// part writes a graph to a temporary file in the models' folder.
func (o *Options) part(model *onnx.Model) (path string, err error) {
	f, err := os.CreateTemp(o.Models, models.UnfinishedFile(o.Name))
	if err != nil {
		return "", fmt.Errorf("write model: %w", err)
	}
	_, err = model.WriteTo(f)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return "", errors.Join(fmt.Errorf("write model: %w", err), os.Remove(f.Name()))
	}
	return f.Name(), nil
}

// input returns the input of the network: that of PyTorch's models trained on ImageNet.
func (o *Options) input() pipeline.Input {
	colour := pipeline.RGB
	if o.Grey {
		colour = pipeline.Grey
	}
	return pipeline.Input{Name: "input", Size: o.Size, Layout: pipeline.NCHW, Colour: colour, Channels: 3,
		Scale: 1.0 / 255, Mean: [3]float32{0.485, 0.456, 0.406}, Std: [3]float32{0.229, 0.224, 0.225}}
}

// outputs returns the outputs of the graph, without attention where its maps are too large for messages: they have a
// 32nd of the input's side.
func (o *Options) outputs(heads int) []pipeline.Output {
	outputs := []pipeline.Output{{Name: "logits", Kind: pipeline.Logits}}
	if side := (o.Size + 31) / 32; heads*side*side <= pipeline.MaxAttention {
		outputs = append(outputs, pipeline.Output{Name: "attention", Kind: pipeline.AttentionMaps})
	}
	return outputs
}

// entry returns the entry of the model whose file is at part. Its crop is that of the shipped classifier.
func (o *Options) entry(ctx context.Context, part string, labels []string, heads int) (e models.Entry, err error) {
	bytes, sum, err := digest(ctx, part)
	if err != nil {
		return e, err
	}
	_, source, err := digest(ctx, o.Checkpoint)
	if err != nil {
		return e, err
	}
	licence, data, err := o.provenance()
	if err != nil {
		return e, err
	}
	return models.Entry{
		Model: pipeline.Model{
			Name:        o.Name,
			Decoder:     "dan",
			Input:       o.input(),
			Crop:        &pipeline.CropRule{Scale: 1.25, Shift: [2]float32{0, -0.06}},
			Outputs:     o.outputs(heads),
			Labels:      labels,
			Temperature: 1,
			Uncertain:   0.45,
		},
		Role: models.Classify, Format: "onnx",
		File: models.FileName(o.Name, sum), SHA256: sum, Bytes: bytes,
		Source: models.ImportedFrom(fmt.Sprintf("%s (sha256 %s), %s", filepath.Base(o.Checkpoint), source,
			o.Precision)),
		Licence:      licence,
		TrainingData: data,
	}, nil
}

// provenance returns what is known of a published checkpoint, where the model has the name of its recipe.
func (o *Options) provenance() (licence, data string, err error) {
	const unknown = "not stated; that of the checkpoint"
	manifest, err := models.Default()
	if err != nil {
		return "", "", err
	}
	if r, ok := manifest.Recipe(o.Name); ok {
		return r.Licence, r.TrainingData, nil
	}
	return unknown, unknown, nil
}

// digest returns the size and the checksum of a file. It ends early with ctx.
func digest(ctx context.Context, path string) (bytes int64, sum string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, "", err
	}
	defer f.Close()
	hash := sha256.New()
	for err == nil { // piece by piece, to check ctx
		var n int64
		n, err = io.CopyN(hash, f, 16<<20)
		bytes += n
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
	}
	if !errors.Is(err, io.EOF) {
		return 0, "", fmt.Errorf("read %s: %w", path, err)
	}
	return bytes, fmt.Sprintf("%x", hash.Sum(nil)), nil
}
