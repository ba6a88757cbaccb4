// Package settings holds the flags of the commands, and the other places that settings come from: the environment, a
// file, and what another setting implies.
package settings

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// Command is a command whose flags are declared.
type Command struct {
	Flags *flag.FlagSet // optional: a command without reads no arguments
	Only  bool          // its flags are no settings: neither the environment nor a file is read
	Run   func(ctx context.Context, call Call, out io.Writer) error
}

// Call is what a command is called with, once its flags are set.
type Call struct {
	Args  []string // positional
	From  Sources
	Words []string // all arguments as they were given
}

// Sources has where a setting's value comes from, by its flag's name. A setting that has its default is absent.
type Sources map[string]string

// NewFlags returns an empty set of flags for the command of that name. Words in upper case name its arguments.
func NewFlags(name string) *flag.FlagSet {
	return flag.NewFlagSet("mindflow "+name, flag.ContinueOnError)
}

// Execute sets the command's flags from args, the environment and the settings file, and runs it. known are the
// settings of all commands, which a shared file or environment may hold. Errors name flags instead of fields.
func (c Command) Execute(ctx context.Context, args, known []string, out io.Writer) error {
	call := Call{Words: args}
	if c.Flags != nil {
		var err error
		if call.Args, call.From, err = c.parse(args, known, out); err != nil {
			return WithFlag(err)
		}
	}
	return WithFlag(c.Run(ctx, call, out))
}

// parse reads flags and positional arguments in any order. What no flag sets comes from MINDFLOW_* in the environment,
// or else from the settings file, or else from what another setting implies.
func (c Command) parse(args, known []string, out io.Writer) (rest []string, from Sources, err error) {
	if c.Only {
		rest, err = parseFlags(c.Flags, args, out)
		return rest, nil, err
	}
	known = append(Names(c.Flags), known...)
	config := c.Flags.String(configFlag, "",
		"settings in a TOML `file`; flags and MINDFLOW_… in the environment beat it")
	if rest, err = parseFlags(c.Flags, args, out); err != nil {
		return nil, nil, err
	}
	from = Sources{}
	c.Flags.Visit(func(f *flag.Flag) { from[f.Name] = "--" + f.Name })
	if err := fromEnvironment(c.Flags, from, known, os.Environ()); err != nil {
		return nil, nil, err
	}
	if *config != "" {
		if err := fromFile(c.Flags, from, known, *config); err != nil {
			return nil, nil, err
		}
	}
	if err := implied(c.Flags, from); err != nil {
		return nil, nil, err
	}
	return rest, from, nil
}

// parseFlags sets flags from args and returns the positional arguments. Help goes to out.
func parseFlags(fs *flag.FlagSet, args []string, out io.Writer) (rest []string, err error) {
	var text strings.Builder // of the flag package, which would print all flags at every error
	fs.SetOutput(&text)
	for {
		if err := fs.Parse(args); errors.Is(err, flag.ErrHelp) {
			_, failed := io.WriteString(out, text.String())
			return nil, errors.Join(err, failed)
		} else if err != nil {
			return nil, explain(fs, err)
		}
		if args = fs.Args(); len(args) == 0 {
			return rest, nil
		}
		rest, args = append(rest, args[0]), args[1:]
	}
}

// explain adds what to do to an error of the flag package.
func explain(fs *flag.FlagSet, err error) error {
	command := strings.Fields(fs.Name())
	isArgument := func(word string) bool { return word != strings.ToLower(word) }
	if i := slices.IndexFunc(command, isArgument); i >= 0 {
		command = command[:i]
	}
	hint := fmt.Sprintf("%s --help lists the flags", strings.Join(command, " "))
	if name, ok := strings.CutPrefix(err.Error(), "flag provided but not defined: -"); ok {
		known := map[string]bool{}
		fs.VisitAll(func(f *flag.Flag) { known[f.Name] = true })
		return fmt.Errorf("--%s is no flag%s; %s", name, suggest(name, known), hint)
	}
	return fmt.Errorf("%w; %s", err, hint)
}

// Flags that apply to one run. They are no settings: neither the environment nor a file holds them, except that the
// environment may name the file.
const (
	configFlag = "config"
	PrintFlag  = "print-config"
)

// Names returns the settings among the flags.
func Names(fs *flag.FlagSet) (names []string) {
	fs.VisitAll(func(f *flag.Flag) {
		if f.Name != configFlag && f.Name != PrintFlag {
			names = append(names, f.Name)
		}
	})
	return names
}
