package settings

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
)

// prefix of the environment's settings: --max-sessions is MINDFLOW_MAX_SESSIONS.
const prefix = "MINDFLOW_"

// otherVariables are read by our tests, not by the program.
var otherVariables = []string{prefix + "TESTDATA", prefix + "SCREENSHOTS", prefix + "ROUNDS", prefix + "SEED"}

// variable returns the name of the environment's variable that sets a flag.
func variable(flag string) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// fromEnvironment sets the flags that have no source yet from environ, as os.Environ returns it.
func fromEnvironment(fs *flag.FlagSet, from Sources, known, environ []string) (err error) {
	flags := map[string]string{variable(configFlag): configFlag}
	for _, name := range known {
		flags[variable(name)] = name
	}
	for _, pair := range slices.Sorted(slices.Values(environ)) {
		name, value, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, prefix) || slices.Contains(otherVariables, name) {
			continue
		}
		key, ok := flags[name]
		if !ok {
			fault := fmt.Errorf("%s in the environment is no setting%s; correct or unset it", name,
				suggest(name, flags))
			err = errors.Join(err, fault)
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
