// Package terminal holds what concerns the terminal that a command runs on: a line that is kept up to date, and the
// signals that interrupt.
package terminal

import (
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Is reports whether out is a character device, which is near enough: on others one more line does no harm.
func Is(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Interrupts returns the signals that interrupt: Ctrl-C, kill, and a terminal that is closed, unless nohup made the
// process ignore that.
func Interrupts() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// OnSecondInterrupt calls f at the second of the signals that interrupt: the first has ended the command's context. The
// caller calls stop in the end.
func OnSecondInterrupt(f func()) (stop func()) {
	signals, over := make(chan os.Signal, 2), make(chan struct{})
	signal.Notify(signals, Interrupts()...)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 2 {
			select {
			case <-signals:
			case <-over:
				return
			}
		}
		f()
	}()
	return func() {
		signal.Stop(signals)
		close(over)
		<-done
	}
}
