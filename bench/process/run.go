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

// Timed is a run of a program.
type Timed struct {
	Out  string
	Wall time.Duration
	CPU  time.Duration // of all its threads, in the kernel too
}

// Run runs a program to its end, and interrupts it where ctx ends before. Out is there with an error too.
func Run(ctx context.Context, binary string, args ...string) (t Timed, err error) {
	cmd := command(binary, args...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return t, fmt.Errorf("%w; run make build first", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err = <-ended:
	case <-ctx.Done():
		err = errors.Join(ctx.Err(), end(cmd, ended))
	}
	t = Timed{out.String(), time.Since(began), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", name(binary, args), err, strings.TrimSpace(said.String()))
	}
	return t, err
}

// end interrupts a process and, where that is not enough, kills it.
func end(cmd *exec.Cmd, ended <-chan error) error {
	_ = cmd.Process.Signal(syscall.SIGTERM) // it may end just now
	select {
	case err := <-ended:
		return err
	case <-time.After(stopTime):
		_ = cmd.Process.Kill()
		return <-ended
	}
}

// name is how an error calls a program.
func name(binary string, args []string) string {
	base := binary[strings.LastIndexByte(binary, '/')+1:]
	return strings.Join(append([]string{base}, args[:min(1, len(args))]...), " ")
}

var summary = regexp.MustCompile(`, (\d+) frames`)

// Frames is the number of them that the summary of `mindflow video` tells.
func Frames(out string) (n int, ok bool) {
	m := summary.FindStringSubmatch(out)
	if m == nil {
		return 0, false
	}
	n, err := strconv.Atoi(m[1])
	return n, err == nil
}

// LoadTest measures a server with `mindflow loadtest`. The result is there also where an error says that the server
// missed something; it is nil where nothing was counted.
func LoadTest(ctx context.Context, binary, url, clip string, sessions int, long time.Duration) (*loadtest.Result, error) {
	run, err := Run(ctx, binary, "loadtest", url, "--json", "--sessions", strconv.Itoa(sessions), "--duration", long.String(), "--input", clip)
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
	Out io.Reader // what it prints

	cmd *exec.Cmd
}

// Start starts a program, from a goroutine that is locked to its thread until Kill: command says why.
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

// Kill ends it without a word (SIGKILL), and waits for it.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	_ = p.cmd.Wait()
}
