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
	"syscall"

	"mindflow/cmd/mindflow/internal/serve/supervisor"
	"mindflow/cmd/mindflow/internal/settings"
)

// command is one subcommand: it parses its own flags out of args. One without a brief is for this program's own children, and not listed.
type command struct {
	name, brief string
	run         func(ctx context.Context, args []string, out io.Writer) error
}

var commands = []command{
	{"serve", "serve the page and read the cameras of those who open it (the default)", serve},
	{"image", "label the faces in picture files", pictures},
	{"video", "label the faces in video files over time", videos},
	{"camera", "label the faces before this machine's camera, here or on a server", live},
	{"loadtest", "publish a clip to a server over many sessions, and measure what comes back", loadTest},
	{"eval", "say how well a model does on pictures whose expressions are known", evaluation},
	{"bench", "measure how many faces a second a device classifies", gaugeDevice},
	{"model", "list, bring, check and import models", model},
	{"token", "make tokens and keys, which say who may use a server", tokens},
	{"ready", "ask a server whether it takes newcomers", askReady},
	{"doctor", "check this machine, and say what to do where something is wrong", examine},
	{"version", "print the version", version},
	{probeCommand, "", probe},
}

func main() {
	// Whoever reads what we print may leave: writing then gives an error, after which files and sessions end as they should.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), ends()...)
	defer stop()
	context.AfterFunc(ctx, stop) // the second signal ends a command that cannot end by itself, as one whose reader does not read
	err := run(ctx, os.Args[1:], os.Stdout)
	var child *supervisor.ExitError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.As(err, &child): // which has said why itself
		os.Exit(child.Code)
	default:
		fmt.Fprintln(os.Stderr, "mindflow:", err)
		os.Exit(1)
	}
}

// ends are the signals that interrupt: Ctrl-C, kill, and a terminal that is closed, unless nohup had that ignored.
func ends() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

func run(ctx context.Context, args []string, out io.Writer) error {
	name := "serve"
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		name, args = args[0], args[1:]
	} else if len(args) > 0 && (args[0] == "-h" || args[0] == "--help" || args[0] == "-help") {
		name = "help"
	}
	if name == "help" {
		fmt.Fprintln(out, "usage: mindflow [COMMAND] [FLAGS]")
		for _, c := range commands {
			if c.brief == "" {
				continue
			}
			fmt.Fprintf(out, "  %-9s %s\n", c.name, c.brief)
		}
		fmt.Fprintln(out, "mindflow COMMAND --help lists a command's flags.")
		return nil
	}
	for _, c := range commands {
		if c.name == name {
			return settings.WithFlag(c.run(ctx, args, out))
		}
	}
	return fmt.Errorf("unknown command %q; mindflow help lists the commands", name)
}
