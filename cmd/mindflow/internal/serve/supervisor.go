package serve

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// supervisor runs a program as a child process and restarts it when it fails. A fault in C ends a process, whatever its
// Go code may recover from, so that only another process can restart it.
type supervisor struct {
	command func() *exec.Cmd // a new one for each start
	signals <-chan os.Signal // are passed on to the child, which is not restarted after the first
	log     *slog.Logger
}

// ExitError is the end of a child that is not restarted.
type ExitError struct {
	Code int // exit code; as in shells, 128 and the signal's number where a signal ended the child
}

func (e *ExitError) Error() string {
	return fmt.Sprintf("the server ended with exit code %d and is not started again", e.Code)
}

// run runs the command until it ends without an error, a signal ends it, or a restart would not help. The error
// is an *ExitError. On Linux the child ends with this process.
func (s supervisor) run() error {
	runtime.LockOSThread() // the child ends with the thread that started it: prctl(2), PR_SET_PDEATHSIG
	defer runtime.UnlockOSThread()
	var h restarts
	for {
		began := time.Now()
		asked, err := s.once()
		if err == nil {
			return nil
		}
		code, ok := codeOf(err)
		if !ok {
			return fmt.Errorf("start the server: %w", err)
		}
		wait, again := h.next(code, time.Since(began))
		if asked || !again {
			s.log.Error("the server ended and is not started again", "why", err.Error(), "failures", h.quick)
			return &ExitError{code}
		}
		s.log.Error("the server failed; starting it again", "why", err.Error(), "in", wait.String())
		if s.pause(wait) {
			return &ExitError{code}
		}
	}
}

// once runs the command once. It reports whether a signal asked for the end.
func (s supervisor) once() (asked bool, err error) {
	cmd := s.command()
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Pdeathsig: syscall.SIGKILL,
		Setpgid:   true, // otherwise a signal of the terminal would reach the child twice
	}
	if err := cmd.Start(); err != nil {
		return false, err
	}
	s.log.Info("supervising", "pid", cmd.Process.Pid)
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case err := <-ended:
			return asked, err
		case sig := <-s.signals:
			asked = true
			_ = cmd.Process.Signal(sig) // the child may end just now
		}
	}
}

// pause waits. It reports whether a signal came.
func (s supervisor) pause(wait time.Duration) (asked bool) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return false
	case <-s.signals:
		return true
	}
}

// codeOf returns the exit code of a process. ok is false if it was not started.
func codeOf(err error) (code int, ok bool) {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return 0, false
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal()), true
	}
	return exit.ExitCode(), true
}
