package main

import (
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"slices"

	"mindflow/cmd/mindflow/internal/serve/supervisor"
	"mindflow/cmd/mindflow/internal/terminal"
)

// supervise runs `serve` with the same arguments in a process of its own, and starts it again when it fails.
func supervise(args []string, log *slog.Logger) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, terminal.Interrupts()...)
	defer signal.Stop(signals)
	return supervisor.Run(supervisor.Plan{
		Command: func() *exec.Cmd {
			cmd := exec.Command(exe, slices.Concat([]string{"serve"}, args, []string{"--supervise=false"})...)
			cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
			return cmd
		},
		Signals: signals,
		Log:     log,
	})
}
