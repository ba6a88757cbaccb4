package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"mindflow/cmd/mindflow/internal/clitest"
	"mindflow/pipeline/testkit"
)

// process is a running program with its output in a pipe.
type process struct {
	*exec.Cmd
	out  *os.File
	said bytes.Buffer
}

func startProcess(t *testing.T, exe string, args ...string) *process {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: exec.Command(exe, args...), out: read}
	p.Stdout, p.Stderr = write, &p.said
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	write.Close()
	t.Cleanup(func() {
		_ = p.Process.Kill() // where the test failed before its end
		read.Close()
	})
	return p
}

// firstLine waits for something to be printed.
func (p *process) firstLine(t *testing.T) {
	t.Helper()
	if _, err := bufio.NewReaderSize(p.out, 16).ReadSlice('{'); err != nil {
		t.Fatalf("nothing was printed: %v; it said %s", err, p.said.String())
	}
}

// failed waits for the end, with exit code 1 and one line on standard error.
func (p *process) failed(t *testing.T, want string) {
	t.Helper()
	err := p.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("it ended with %v, want exit code 1", err)
	}
	if said := p.said.String(); !strings.Contains(said, want) || strings.Count(said, "\n") != 1 {
		t.Errorf("it said %q, want a line with %q", said, want)
	}
}

// TestVideoEndsWell: a closed terminal interrupts, and a reader that leaves ends the work. What was done is kept, and
// no incomplete file stays.
func TestVideoEndsWell(t *testing.T) {
	exe, engine, clip := clitest.Binary(t), clitest.EngineArgs(t), testkit.Clip(t)
	for name, c := range map[string]struct {
		end  func(p *process) error
		want string
	}{
		"the terminal is closed": {func(p *process) error { return p.Process.Signal(hangup()) }, "interrupted after"},
		"the reader leaves":      {func(p *process) error { return p.out.Close() }, "that reads the output"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			p := startProcess(t, exe, append([]string{"video", clip, "--json", "--annotate",
				filepath.Join(dir, "a.mp4")}, engine...)...)
			p.firstLine(t)
			if err := c.end(p); err != nil {
				t.Fatal(err)
			}
			// it may have filled the pipe before the signal came
			go func() { _, _ = io.Copy(io.Discard, p.out) }()
			p.failed(t, c.want)
			if at := clitest.FrameTimes(t, filepath.Join(dir, "a.mp4")); len(at) == 0 || len(at) > 400 {
				t.Errorf("%d frames are annotated", len(at))
			}
			if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
				t.Errorf("the folder holds %v (%v)", entries, err)
			}
		})
	}
}

// hangup returns the signal of a terminal that is closed, or that of kill where nohup runs the tests.
func hangup() os.Signal {
	if signal.Ignored(syscall.SIGHUP) {
		return syscall.SIGTERM
	}
	return syscall.SIGHUP
}

// TestSecondSignalEnds: a second signal ends a command that is blocked on its output.
func TestSecondSignalEnds(t *testing.T) {
	p := startProcess(t, clitest.Binary(t), append([]string{"video", testkit.Clip(t), "--json"},
		clitest.EngineArgs(t)...)...)
	p.firstLine(t)
	const wait = 100 * time.Millisecond
	for waiting, last := 0, -1; waiting != last; time.Sleep(wait) { // until nothing more fits into the pipe
		last = waiting
		var err error
		if waiting, err = unix.IoctlGetInt(int(p.out.Fd()), unix.TIOCINQ); err != nil {
			t.Fatal(err)
		}
		if waiting < 60<<10 { // of 64 KiB
			last = -1
		}
	}
	ended := make(chan error, 1)
	go func() { ended <- p.Wait() }()
	again := time.NewTicker(wait)
	defer again.Stop()
	for deadline := time.After(clitest.Patience); ; {
		select {
		case <-ended:
			return
		case <-again.C:
			_ = p.Process.Signal(syscall.SIGTERM) // it may be gone
		case <-deadline:
			t.Fatal("it goes on")
		}
	}
}

// TestCameraEndsItsSession: a camera whose terminal is closed, or whose reader leaves, ends its session on the server.
func TestCameraEndsItsSession(t *testing.T) {
	exe := clitest.Binary(t)
	log := &bytes.Buffer{} // to be read after the server
	listen := clitest.FreePort(t)
	server := exec.Command(exe, append([]string{"serve", "--listen", listen, "--media", "127.0.0.1:0"},
		clitest.EngineArgs(t)...)...)
	server.Stderr = log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	defer server.Process.Kill()
	client := &http.Client{Timeout: clitest.Patience}
	defer client.CloseIdleConnections()
	clitest.Get(t, client, "http://"+listen+"/readyz", ended)
	publish := []string{"camera", "--synthetic", "--size", "160x120", "--json", "--publish", "http://" + listen}

	p := startProcess(t, exe, publish...)
	p.firstLine(t)
	if err := p.Process.Signal(hangup()); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("after SIGHUP %v, said %s", err, p.said.String())
	}
	p = startProcess(t, exe, publish...)
	p.firstLine(t)
	p.out.Close()
	if err := p.Wait(); err == nil || !strings.Contains(p.said.String(), "the program that reads the output") {
		t.Errorf("without a reader %v, said %s", err, p.said.String())
	}
	if err := server.Process.Signal(hangup()); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("the server ended with %v: %s", err, log.String())
	}
	if n := strings.Count(log.String(), "why=deleted"); n != 2 {
		t.Errorf("%d of 2 sessions were deleted: %s", n, log.String())
	}
}
