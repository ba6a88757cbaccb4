// Package process runs mindflow in processes of their own, to measure it as its users meet it. Whatever ends the parent
// ends them.
package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	startTime = time.Minute      // for a server to come up
	stopTime  = 15 * time.Second // to end in an orderly way
	tail      = 8                // lines of its log that an error shows
)

// Server is a `mindflow serve` on ports of its own on loopback.
type Server struct {
	URL   string // of its pages
	Admin string // likewise, of its profiles, where it was started with --admin

	cmd   *exec.Cmd
	ended chan struct{} // closed when it has
	err   error         // then

	mu   sync.Mutex
	last []string // lines of its log, guarded by mu
}

// command is one whose process ends with this one, even where this one is killed. Call it from a goroutine that is
// locked to its thread, as the kernel goes by that thread's end: Main does so.
func command(binary string, args ...string) *exec.Cmd {
	cmd := exec.Command(binary, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// Serve starts a server, and comes back when it serves. Stop it.
func Serve(ctx context.Context, binary string, args ...string) (*Server, error) {
	s := &Server{ended: make(chan struct{})}
	s.cmd = command(binary, append([]string{"serve", "--listen", "127.0.0.1:0", "--media", "127.0.0.1:0", "--min-labels", "0"}, args...)...)
	log, err := s.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the server: %w; run make build first", err)
	}
	up := make(chan struct{})
	go func() {
		s.read(log, up)
		s.err = s.cmd.Wait()
		close(s.ended)
	}()
	select {
	case <-up:
		return s, nil
	case <-s.ended:
		select {
		case <-up: // it served and ended before this goroutine looked: Alive tells
			return s, nil
		default:
			return nil, fmt.Errorf("the server did not start: %w: %s", s.err, s.said())
		}
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), s.Stop())
	case <-time.After(startTime):
		return nil, errors.Join(fmt.Errorf("the server does not serve after %v: %s", startTime, s.said()), s.Stop())
	}
}

var serving = regexp.MustCompile(`msg=(serving|"serving operators") http=(\S+)`)

// read follows the server's log to its end. It closes up when the server serves.
func (s *Server) read(log io.Reader, up chan<- struct{}) {
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		s.mu.Lock()
		s.last = append(s.last, lines.Text())
		s.last = s.last[max(0, len(s.last)-tail):]
		s.mu.Unlock()
		m := serving.FindStringSubmatch(lines.Text())
		switch {
		case m == nil || s.URL != "":
		case m[1] == "serving":
			s.URL = "http://" + m[2]
			close(up)
		default:
			s.Admin = "http://" + m[2]
		}
	}
	_, _ = io.Copy(io.Discard, log) // a line too long to scan must not stop the server
}

// said is the end of its log.
func (s *Server) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.last, "\n")
}

// Alive says what is wrong when the server has ended by itself.
func (s *Server) Alive() error {
	select {
	case <-s.ended:
		return fmt.Errorf("the server ended: %w: %s", s.err, s.said())
	default:
		return nil
	}
}

// Stop ends the server and waits for it.
func (s *Server) Stop() error {
	if err := s.Alive(); err != nil {
		return err
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may end just now
	select {
	case <-s.ended:
	case <-time.After(stopTime):
		_ = s.cmd.Process.Kill()
		<-s.ended
		return fmt.Errorf("the server did not end within %v and was killed: %s", stopTime, s.said())
	}
	if s.err != nil {
		return fmt.Errorf("the server ended badly: %w: %s", s.err, s.said())
	}
	return nil
}
