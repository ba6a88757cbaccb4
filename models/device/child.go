package device

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Child runs this program with the given arguments as a probe. It reads the request from standard input and writes
// the answer to file 3, since libraries print to standard output. A driver that crashes or hangs takes the child down
// and not this process. A child that hangs in the kernel cannot be ended and is left behind.
func Child(args ...string) func(ctx context.Context, request []byte) ([]byte, error) {
	return func(ctx context.Context, request []byte) ([]byte, error) {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("probe: %w", err)
		}
		return runChild(ctx, exec.CommandContext(ctx, self, args...), request)
	}
}

// maxAnswer is the largest answer of a child, in bytes.
const maxAnswer = 1 << 20

func runChild(ctx context.Context, cmd *exec.Cmd, request []byte) ([]byte, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("probe: %w", err)
	}
	defer read.Close()
	said := &tail{}
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = bytes.NewReader(request), said, said, []*os.File{write}
	cmd.WaitDelay = time.Second
	if err := errors.Join(cmd.Start(), write.Close()); err != nil {
		return nil, fmt.Errorf("probe: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	answer := make(chan []byte, 1)
	go func() {
		got, _ := io.ReadAll(io.LimitReader(read, maxAnswer)) // a truncated answer is invalid JSON, which is reported
		answer <- got
	}()
	select {
	case err = <-ended:
	case <-ctx.Done():
		select {
		case err = <-ended:
		case <-time.After(3 * time.Second):
			return nil, errors.New("it hangs and cannot be ended")
		}
	}
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return nil, errors.New("it gave no answer in time")
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, fmt.Errorf("the process that tried it ended: %w: %s", err, said)
	}
	return <-answer, nil
}

// tail keeps the end of what is written to it. One goroutine at a time writes.
type tail struct{ text []byte }

const kept = 2000

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	t.text = t.text[max(0, len(t.text)-kept):]
	return len(p), nil
}

func (t *tail) String() string {
	return strings.Join(strings.Fields(string(t.text)), " ")
}
