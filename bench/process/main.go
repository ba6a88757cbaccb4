package process

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"

	"mindflow/pipeline/testkit"
)

// Main runs a program that has children, until it is done or interrupted, and exits.
func Main(name string, run func(context.Context) error) {
	runtime.LockOSThread() // command says why
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

// Binary is where make build puts mindflow.
func Binary() string { return filepath.Join(testkit.Root(), "bin", "mindflow") }

// Clip is the test media's clip. Where there is none, its path is one that does not exist.
func Clip() string {
	dir, _ := testkit.MediaDir()
	return filepath.Join(dir, "woman-distress-to-laugh.mp4")
}
