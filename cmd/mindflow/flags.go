package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/models/engine"
)

// parse reads flags and positional arguments in any order. What is not given as a flag comes from
// MINDFLOW_* in the environment, or else from the settings file, or else from what another setting implies.
func parse(fs *flag.FlagSet, args []string) (rest []string, err error) {
	rest, _, err = parseSources(fs, args)
	return rest, err
}

// sources says where a setting's value came from, by its flag's name. One that is not there has its default.
type sources map[string]string

// parseSources is parse and tells the sources.
func parseSources(fs *flag.FlagSet, args []string) (rest []string, from sources, err error) {
	config := fs.String(configFlag, "", "settings in a TOML `file`; flags and MINDFLOW_… in the environment beat it")
	var said strings.Builder // by the flag package, which would print all flags at every error
	fs.SetOutput(&said)
	for {
		if err := fs.Parse(args); errors.Is(err, flag.ErrHelp) {
			fmt.Print(said.String())
			return nil, nil, err
		} else if err != nil {
			return nil, nil, explain(fs, err)
		}
		args = fs.Args()
		if len(args) == 0 {
			break
		}
		rest, args = append(rest, args[0]), args[1:]
	}
	from = sources{}
	fs.Visit(func(f *flag.Flag) { from[f.Name] = "--" + f.Name })
	if err := fromEnvironment(fs, from, os.Environ()); err != nil {
		return nil, nil, err
	}
	if *config != "" {
		if err := fromFile(fs, from, *config); err != nil {
			return nil, nil, err
		}
	}
	if err := fromPreset(fs, from); err != nil {
		return nil, nil, err
	}
	if err := fromTLS(fs, from); err != nil {
		return nil, nil, err
	}
	return rest, from, nil
}

// fromPreset sets the flags that have no source yet to what the chosen preset says.
func fromPreset(fs *flag.FlagSet, from sources) error {
	chosen := fs.Lookup("preset")
	if chosen == nil {
		return nil
	}
	if _, err := engine.LookupPreset(chosen.Value.String()); err != nil {
		return err
	}
	for name, value := range settings.Presets[chosen.Value.String()] {
		if from[name] != "" {
			continue
		}
		if err := fs.Set(name, value); err != nil {
			return fmt.Errorf("--preset %s: --%s: %w", chosen.Value, name, err)
		}
		from[name] = "--preset " + chosen.Value.String()
	}
	return nil
}

// explain says what to do about an error of the flag package.
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

// Flags that say how to run once; they are no settings and stand neither in the environment nor in a
// file, except that the environment may name the file.
const (
	configFlag = "config"
	printFlag  = "print-config"
)

// prefix of the environment's settings: --max-sessions is MINDFLOW_MAX_SESSIONS.
const prefix = "MINDFLOW_"

// otherVariables are read by our tests, not by the program.
var otherVariables = []string{prefix + "TESTDATA", prefix + "SCREENSHOTS", prefix + "ROUNDS", prefix + "SEED"}

func variable(flag string) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// fromEnvironment sets the flags that have no source yet from environ, as os.Environ gives it.
func fromEnvironment(fs *flag.FlagSet, from sources, environ []string) (err error) {
	flags := map[string]string{variable(configFlag): configFlag}
	for _, name := range settingNames(fs) {
		flags[variable(name)] = name
	}
	for _, pair := range slices.Sorted(slices.Values(environ)) {
		name, value, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, prefix) || slices.Contains(otherVariables, name) {
			continue
		}
		key, ok := flags[name]
		if !ok {
			err = errors.Join(err, fmt.Errorf("%s in the environment is no setting%s; correct or unset it", name, suggest(name, flags)))
			continue
		}
		if fs.Lookup(key) == nil || from[key] != "" {
			continue
		}
		if e := fs.Set(key, value); e != nil {
			err = errors.Join(err, fmt.Errorf("%s=%q: %w", name, value, e))
		}
		from[key] = name
	}
	return err
}

// list is a flag that may be given several times, or once with commas.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

func (l *list) Get() any { return []string(*l) }

func (l *list) Set(v string) error {
	for part := range strings.SplitSeq(v, ",") {
		if part = strings.TrimSpace(part); part != "" {
			*l = append(*l, part)
		}
	}
	return nil
}
