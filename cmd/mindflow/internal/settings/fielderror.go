package settings

import (
	"errors"
	"strings"

	"mindflow/models/device"
	"mindflow/pipeline/field"
)

// flagOf has the flag that fills each field that a field.Error names.
var flagOf = map[string]string{
	"ACMERoot":      "acme-root",
	"Admin":         "admin",
	"Batch":         "batch",
	"BatchWait":     "batch-wait",
	"Calibrate":     "calibrate",
	"CertFile":      "tls-cert",
	"CertFolder":    "tls-folder",
	"Codecs":        "codecs",
	"Classifiers":   "model",
	"ClassifyEvery": "classify-every",
	"DetectEvery":   "detect-every",
	"Detector":      "detector",
	"Device":        "device",
	"Engines":       "engine-cache",
	"GPUMemory":     "gpu-memory",
	"KeyFile":       "tls-key",
	"Labels":        "labels",
	"Listen":        "listen",
	"MaxDefer":      "put-off",
	"MaxFaces":      "max-faces",
	"MaxP95":        "max-p95",
	"Media":         "media",
	"MediaTCP":      "media-tcp",
	"MinChange":     "change",
	"MinFace":       "min-face",
	"MinMargin":     "doubt",
	"MinRate":       "min-rate",
	"Models":        "models",
	"Name":          "name",
	"Numbered":      "numbered",
	"Plot":          "plot",
	"Precision":     "precision",
	"Preset":        "preset",
	"Redirect":      "http-redirect",
	"RestEvery":     "rest-every",
	"STUNServer":    "stun-server",
	"Size":          "size",
	"Smoothing":     "smoothing",
	"Split":         "split",
	"Threads":       "threads",
	"Turn":          "turn",
	"TurnTLS":       "turn-tls",
	"URL":           "url",
	"Versus":        "vs",
	"Via":           "via",
}

// flagError is an error whose text names a flag instead of a field.
type flagError struct {
	err  error
	text string
}

func (e *flagError) Error() string { return e.text }
func (e *flagError) Unwrap() error { return e.err }

// WithFlag replaces the field that err names, if any, by its flag in the text; of joined errors, in each.
func WithFlag(err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		list := joined.Unwrap()
		if errors.Join(list...).Error() == err.Error() { // joined, and not wrapped in a text of its own
			flagged := make([]error, len(list))
			for i, e := range list {
				flagged[i] = WithFlag(e)
			}
			return errors.Join(flagged...)
		}
	}
	var flagged *flagError
	var at *field.Error
	var fault *device.Fault
	switch {
	case errors.As(err, &flagged): // done
	case errors.As(err, &at) && flagOf[at.Field] != "":
		return replaced(err, at, "--"+flagOf[at.Field]+at.Detail())
	case errors.As(err, &fault):
		return replaced(err, fault, "--device "+fault.Error())
	}
	return err
}

// replaced returns err with another text for a part of it.
func replaced(err, part error, text string) error {
	return &flagError{err, strings.Replace(err.Error(), part.Error(), text, 1)}
}
