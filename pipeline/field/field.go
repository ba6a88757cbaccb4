// Package field reports which setting of a library is at fault. A library knows the fields of its configuration and no
// command-line flags; the command that fills the configuration replaces the field's name by the flag's.
package field

import "fmt"

// Error is an error of one setting. Its text begins with the field's name.
type Error struct {
	Field string // such as "Media"
	Value string // of the field; optional
	Err   error  // what is wrong, and what to do about it
}

func (e *Error) Error() string { return e.Field + e.Detail() }

// Detail is the text without the field's name, such as " :80: the port is in use".
func (e *Error) Detail() string {
	if e.Value == "" {
		return ": " + e.Err.Error()
	}
	return " " + e.Value + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// Errorf returns an *Error of a field, whose Err is formatted as by fmt.Errorf.
func Errorf(field, format string, args ...any) error {
	return &Error{Field: field, Err: fmt.Errorf(format, args...)}
}

// Valuef is Errorf with the field's value.
func Valuef(field string, value any, format string, args ...any) error {
	return &Error{field, fmt.Sprint(value), fmt.Errorf(format, args...)}
}
