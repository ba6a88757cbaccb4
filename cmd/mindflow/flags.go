package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
)

// parse reads flags and positional arguments in any order, then fills flags that were not given from
// MINDFLOW_* in the environment: --max-sessions is MINDFLOW_MAX_SESSIONS.
func parse(fs *flag.FlagSet, args []string) (rest []string, err error) {
	for {
		if err := fs.Parse(args); err != nil {
			return nil, err
		}
		args = fs.Args()
		if len(args) == 0 {
			break
		}
		rest, args = append(rest, args[0]), args[1:]
	}
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	fs.VisitAll(func(f *flag.Flag) {
		name := "MINDFLOW_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value, ok := os.LookupEnv(name)
		if !ok || given[f.Name] {
			return
		}
		if e := f.Value.Set(value); e != nil {
			err = errors.Join(err, fmt.Errorf("%s=%q: %w", name, value, e))
		}
	})
	return rest, err
}

// list is a flag that may be given several times, or once with commas.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

func (l *list) Set(v string) error {
	for part := range strings.SplitSeq(v, ",") {
		if part = strings.TrimSpace(part); part != "" {
			*l = append(*l, part)
		}
	}
	return nil
}
