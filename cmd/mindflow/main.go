// Mindflow reads facial expressions live. See README.md; `mindflow help` lists the commands.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"mindflow/cmd/mindflow/internal/serve"
	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/cmd/mindflow/internal/terminal"
)

// release is set by the Makefile with -ldflags -X.
var release = "dev"

func main() {
	// The reader of our output may leave. Writing then returns an error, and files and sessions are closed as usual.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), terminal.Interrupts()...)
	defer stop()
	context.AfterFunc(ctx, stop) // so that a second signal ends a command that is blocked on its output
	err := run(ctx, os.Args[1:], os.Stdout)
	var child *serve.ExitError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.As(err, &child): // the child has printed why
		os.Exit(child.Code)
	default:
		fmt.Fprintln(os.Stderr, "mindflow:", err)
		os.Exit(1)
	}
}

// run runs the command that args name. Without a name it is serve.
func run(ctx context.Context, args []string, out io.Writer) error {
	switch {
	case len(args) > 0 && isHelp(args[0]):
	case len(args) == 0 || args[0] == "" || args[0][0] == '-':
		args = append([]string{"serve"}, args...)
	}
	return runOne(ctx, commands, "", args, out)
}

// runOne runs one of the commands of a parent, whose name is empty for the program itself.
func runOne(ctx context.Context, list []command, parent string, args []string, out io.Writer) error {
	if len(args) == 0 || isHelp(args[0]) {
		printHelp(out, list, parent)
		if len(args) == 0 {
			return fmt.Errorf("%s: name a command", parent)
		}
		return nil
	}
	name, spaced := args[0], ""
	if parent != "" {
		name, spaced = parent+" "+name, parent+" "
	}
	for _, c := range list {
		switch {
		case c.name != args[0]:
		case c.parts != nil:
			return runOne(ctx, c.parts, name, args[1:], out)
		default:
			return c.declare().Execute(ctx, args[1:], allSettings(), out)
		}
	}
	return fmt.Errorf("unknown command %q; mindflow %shelp lists the commands", name, spaced)
}

func isHelp(word string) bool {
	return word == "help" || word == "-h" || word == "-help" || word == "--help"
}

func printHelp(out io.Writer, list []command, parent string) {
	if parent == "" {
		fmt.Fprintln(out, "usage: mindflow [COMMAND] [FLAGS]")
	} else {
		fmt.Fprintf(out, "usage: mindflow %s COMMAND [FLAGS]\n", parent)
	}
	for _, c := range list {
		if c.brief != "" {
			fmt.Fprintf(out, "  %-9s %s\n", c.name, c.brief)
		}
	}
	if parent == "" {
		fmt.Fprintln(out, "mindflow COMMAND --help lists a command's flags.")
	}
}

// allSettings returns the settings of all commands, which a shared file or environment may hold. Those of parts, such
// as model import, are options of one run.
func allSettings() (names []string) {
	for _, c := range commands {
		if c.parts != nil {
			continue
		}
		if declared := c.declare(); declared.Flags != nil {
			names = append(names, settings.Names(declared.Flags)...)
		}
	}
	return names
}

// version prints the version.
func version() settings.Command {
	return settings.Command{Run: func(_ context.Context, _ settings.Call, out io.Writer) error {
		_, err := fmt.Fprintf(out, "mindflow %s (%s, %s/%s)\n", release, runtime.Version(), runtime.GOOS,
			runtime.GOARCH)
		return err
	}}
}
