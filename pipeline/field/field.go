// Package field reports which setting of a library is at fault. A library knows the fields of its configuration and no
// command-line flags; the command that fills the configuration replaces the field's name by the flag's.
package field

import "fmt"

// Error is an error of one setting. Its text begins with the field's name.
type Error struct {
	Field string // such as "Media"
	Err   error  // what is wrong, and what to do about it
}

func (e *Error) Error() string { return e.Field + ": " + e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

// Errorf returns an *Error of a field, whose Err is formatted as by fmt.Errorf.
func Errorf(field, format string, args ...any) error {
	return &Error{field, fmt.Errorf(format, args...)}
}
