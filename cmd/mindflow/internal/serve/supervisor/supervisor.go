// Package supervisor runs a program as a child process and restarts it when it fails. A fault in C ends a process,
// whatever its Go code may recover from, so that only another process can restart it.
package supervisor

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

// Plan is what runs.
type Plan struct {
	Command func() *exec.Cmd // a new one for each start
	Signals <-chan os.Signal // are passed on to the child, which is not restarted after the first
	Log     *slog.Logger
}

// ExitError is the end of a child that is not restarted.
type ExitError struct {
	Code int // exit code; as in shells, 128 and the signal's number where a signal ended the child
}

func (e *ExitError) Error() string {
	return fmt.Sprintf("the server ended with exit code %d and is not started again", e.Code)
}

// Run runs the plan's command until it ends without an error, a signal ends it, or a restart would not help. The error
// is an *ExitError. On Linux the child ends with this process.
func Run(p Plan) error {
	runtime.LockOSThread() // the child ends with the thread that started it: prctl(2), PR_SET_PDEATHSIG
	defer runtime.UnlockOSThread()
	var h history
	for {
		began := time.Now()
		asked, err := p.once()
		if err == nil {
			return nil
		}
		code, ok := codeOf(err)
		if !ok {
			return fmt.Errorf("start the server: %w", err)
		}
		wait, again := h.next(code, time.Since(began))
		if asked || !again {
			p.Log.Error("the server ended and is not started again", "why", err.Error(), "failures", h.quick)
			return &ExitError{code}
		}
		p.Log.Error("the server failed; starting it again", "why", err.Error(), "in", wait.String())
		if p.pause(wait) {
			return &ExitError{code}
		}
	}
}

// once runs the command once. It reports whether a signal asked for the end.
func (p Plan) once() (asked bool, err error) {
	cmd := p.Command()
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Pdeathsig: syscall.SIGKILL,
		Setpgid:   true, // otherwise a signal of the terminal would reach the child twice
	}
	if err := cmd.Start(); err != nil {
		return false, err
	}
	p.Log.Info("supervising", "pid", cmd.Process.Pid)
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case err := <-ended:
			return asked, err
		case s := <-p.Signals:
			asked = true
			_ = cmd.Process.Signal(s) // the child may end just now
		}
	}
}

// pause waits. It reports whether a signal came.
func (p Plan) pause(wait time.Duration) (asked bool) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return false
	case <-p.Signals:
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
