package main

import (
	"errors"
	"strings"

	"mindflow/pipeline/field"
)

// flagOf has the flag that fills each field that a field.Error names.
var flagOf = map[string]string{
	"ACMERoot":   "acme-root",
	"Admin":      "admin",
	"CertFile":   "tls-cert",
	"CertFolder": "tls-folder",
	"KeyFile":    "tls-key",
	"Listen":     "listen",
	"Media":      "media",
	"MediaTCP":   "media-tcp",
	"Redirect":   "http-redirect",
	"STUNServer": "stun-server",
	"Turn":       "turn",
	"TurnTLS":    "turn-tls",
}

// flagError is an error of a setting, told with the name of the flag instead of the field's.
type flagError struct {
	err  error
	text string
}

func (e *flagError) Error() string { return e.text }
func (e *flagError) Unwrap() error { return e.err }

// withFlag replaces the field that err names, if any, by its flag.
func withFlag(err error) error {
	var at *field.Error
	if !errors.As(err, &at) || flagOf[at.Field] == "" {
		return err
	}
	text := strings.Replace(err.Error(), at.Error(), "--"+flagOf[at.Field]+": "+at.Err.Error(), 1)
	return &flagError{err, text}
}
