// Package process runs mindflow in processes of their own, so that it is measured as its users meet it. The processes
// end with this one, however it ends.
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

	"mindflow/server/loadtest"
)

const (
	startTime = time.Minute      // longest time until a server serves
	stopTime  = 15 * time.Second // longest time of an orderly end
	tail      = 8                // lines of a server's log that an error shows
)

// Server is a `mindflow serve` on free ports of loopback.
type Server struct {
	URL   string // address of its pages
	Admin string // address of its operators' port; empty without --admin

	cmd   *exec.Cmd
	ended chan struct{} // closed when the process has ended
	err   error         // how it ended; read after ended is closed

	mu   sync.Mutex
	last []string // last lines of its log, guarded by mu
}

// command prepares a process that ends with this one, even where this one is killed. The kernel ends it with the
// thread that started it, so the calling goroutine must be locked to its thread, as that of bench's main is.
func command(binary string, args ...string) *exec.Cmd {
	cmd := exec.Command(binary, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// WithServer starts a server, calls use when it serves, and stops it. An error of use has precedence over one of
// stopping.
func WithServer(ctx context.Context, binary string, args []string, use func(*Server) error) error {
	s, err := start(ctx, binary, args...)
	if err != nil {
		return err
	}
	err = use(s)
	if failed := s.stop(); err == nil {
		err = failed
	}
	return err
}

// LoadTest publishes a clip to the server over a number of sessions with `mindflow loadtest`. It returns what the
// sessions got and what the server used meanwhile. An overloaded server is no error, failed sessions are.
func (s *Server) LoadTest(ctx context.Context, clip string, sessions int, duration time.Duration) (
	*loadtest.Result, []Usage, error) {
	stop := s.watch()
	result, err := loadTest(ctx, s.cmd.Path, s.URL, clip, sessions, duration)
	used := stop()
	if result == nil || ctx.Err() != nil {
		return nil, nil, errors.Join(err, s.Alive())
	}
	if len(result.Failed) > 0 {
		return nil, nil, fmt.Errorf("%d sessions failed: %v", len(result.Failed), result.Failed[0])
	}
	return result, used, nil
}

// start starts a server and returns when it serves.
func start(ctx context.Context, binary string, args ...string) (*Server, error) {
	s := &Server{ended: make(chan struct{})}
	own := []string{"serve", "--listen", "127.0.0.1:0", "--media", "127.0.0.1:0", "--min-labels", "0"}
	s.cmd = command(binary, append(own, args...)...)
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
		case <-up: // it served and ended before this goroutine looked; Alive reports it
			return s, nil
		default:
			return nil, fmt.Errorf("the server did not start: %w: %s", s.err, s.logTail())
		}
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), s.stop())
	case <-time.After(startTime):
		return nil, errors.Join(fmt.Errorf("the server does not serve after %v: %s", startTime, s.logTail()), s.stop())
	}
}

var serving = regexp.MustCompile(`msg=(serving|"serving operators") http=(\S+)`)

// read follows the server's log to its end, and closes up when the server serves.
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

// logTail returns the last lines of the server's log.
func (s *Server) logTail() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.last, "\n")
}

// Alive returns an error when the server has ended by itself.
func (s *Server) Alive() error {
	select {
	case <-s.ended:
		return fmt.Errorf("the server ended: %w: %s", s.err, s.logTail())
	default:
		return nil
	}
}

// stop ends the server and waits for it.
func (s *Server) stop() error {
	if err := s.Alive(); err != nil {
		return err
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-s.ended:
	case <-time.After(stopTime):
		_ = s.cmd.Process.Kill()
		<-s.ended
		return fmt.Errorf("the server did not end within %v and was killed: %s", stopTime, s.logTail())
	}
	if s.err != nil {
		return fmt.Errorf("the server ended badly: %w: %s", s.err, s.logTail())
	}
	return nil
}
