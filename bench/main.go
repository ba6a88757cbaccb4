// Command bench measures Mindflow, and writes what it measured into the tables of docs.
//
//	go run ./bench MEASUREMENT [FLAGS] [ARGUMENTS]
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
	"strings"
	"syscall"

	"mindflow/bench/churn"
	"mindflow/bench/profile"
)

// measurement is one subcommand.
type measurement struct {
	name      string
	arguments string // what follows the flags
	about     string
	run       func(ctx context.Context, flags *flag.FlagSet, args []string) error
}

const (
	serveFlags = "[-- FLAGS OF mindflow serve]"
	videoFlags = "[-- FLAGS OF mindflow video]"
)

var measurements = []measurement{
	{"stages", "", "time and memory of each stage of the pipeline", runStages},
	{"video", videoFlags, "frames a second of `mindflow video`", runVideo},
	{"ladder", serveFlags, "latency and rate of a server with more and more sessions", runLadder},
	{"soak", serveFlags, "memory and latency of a server that keeps its number of sessions", runSoak},
	{"churn", serveFlags, "what a server still holds after sessions have come and gone in every way", churn.Run},
	{"profile", serveFlags, "where a server's processor time goes, in milliseconds a received frame", profile.Run},
	{"notebook", "", "speed of `mindflow video` beside the notebook's loop in Python", runNotebook},
	{"economy", "CLIP…", "what each rule of analysing less saves, and how many labels it changes", runEconomy},
	{"detectors", "[NAME…]", "faces that the detectors find on annotated photographs, and their cost", runDetectors},
}

func main() {
	runtime.LockOSThread() // mindflow's processes end with the thread that started them, see bench/process
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench", err)
		os.Exit(1)
	}
}

// run runs the measurement that the first argument names.
func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		usage(out)
		return nil
	}
	for _, m := range measurements {
		if m.name != args[0] {
			continue
		}
		flags := flag.NewFlagSet(m.name, flag.ContinueOnError)
		flags.SetOutput(io.Discard) // an error is printed once, by main
		err := m.run(ctx, flags, args[1:])
		if errors.Is(err, flag.ErrHelp) {
			m.usage(out, flags)
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		return nil
	}
	return fmt.Errorf("%s: no such measurement; `go run ./bench help` lists them", args[0])
}

func usage(out io.Writer) {
	fmt.Fprint(out, "usage: go run ./bench MEASUREMENT [FLAGS] [ARGUMENTS]\n\nMeasurements:\n")
	for _, m := range measurements {
		fmt.Fprintf(out, "  %-10s %s\n", m.name, m.about)
	}
	fmt.Fprint(out, "\n`go run ./bench MEASUREMENT -h` lists the flags of one.\n")
}

// usage prints a measurement's synopsis and its flags.
func (m *measurement) usage(out io.Writer, flags *flag.FlagSet) {
	synopsis := strings.TrimSpace("go run ./bench " + m.name + " [FLAGS] " + m.arguments)
	fmt.Fprintf(out, "usage: %s\n\nMeasures %s.\n\nFlags:\n", synopsis, m.about)
	flags.SetOutput(out)
	flags.PrintDefaults()
}
