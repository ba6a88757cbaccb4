package process

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"mindflow/server/loadtest"
)

// Timed is the result of a run of a program.
type Timed struct {
	Out  string
	Wall time.Duration
	CPU  time.Duration // of all its threads, in the kernel too
}

// Run runs a program to its end, and interrupts it if ctx ends first. Out is set even if there is an error.
func Run(ctx context.Context, binary string, args ...string) (t Timed, err error) {
	cmd := command(binary, args...)
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return t, fmt.Errorf("%w; run make build first", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err = <-ended:
	case <-ctx.Done():
		err = errors.Join(ctx.Err(), terminate(cmd, ended))
	}
	t = Timed{out.String(), time.Since(began), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", name(binary, args), err, strings.TrimSpace(log.String()))
	}
	return t, err
}

// terminate interrupts a process, and kills it when it does not end within stopTime.
func terminate(cmd *exec.Cmd, ended <-chan error) error {
	_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case err := <-ended:
		return err
	case <-time.After(stopTime):
		_ = cmd.Process.Kill()
		return <-ended
	}
}

// name returns how an error names a program: its file name and its first argument.
func name(binary string, args []string) string {
	base := binary[strings.LastIndexByte(binary, '/')+1:]
	return strings.Join(append([]string{base}, args[:min(1, len(args))]...), " ")
}

var summary = regexp.MustCompile(`, (\d+) frames`)

// Frames returns the number of frames in the summary that `mindflow video` prints.
func Frames(out string) (n int, ok bool) {
	m := summary.FindStringSubmatch(out)
	if m == nil {
		return 0, false
	}
	n, err := strconv.Atoi(m[1])
	return n, err == nil
}

// loadTest measures a server with `mindflow loadtest`. The result is set also where an error reports what the server
// missed; it is nil where nothing was counted.
func loadTest(ctx context.Context, binary, url, clip string, sessions int, duration time.Duration) (
	*loadtest.Result, error) {
	run, err := Run(ctx, binary, "loadtest", url, "--json", "--sessions", strconv.Itoa(sessions),
		"--duration", duration.String(), "--input", clip)
	var r loadtest.Result
	if failed := json.Unmarshal([]byte(run.Out), &r); failed != nil {
		if err == nil {
			err = fmt.Errorf("mindflow loadtest printed no JSON: %w", failed)
		}
		return nil, err
	}
	return &r, err
}

// Process is a program that runs beside this one.
type Process struct {
	Out io.Reader // standard output

	cmd *exec.Cmd
}

// Start starts a program. The calling goroutine must be locked to its thread until Kill; see command.
func Start(binary string, args ...string) (*Process, error) {
	cmd := command(binary, args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w; run make build first", err)
	}
	return &Process{out, cmd}, nil
}

// Kill ends the program with SIGKILL and waits for it.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	_ = p.cmd.Wait()
}
