package churn

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"mindflow/bench/process"
	"mindflow/pipeline/testkit"
)

// killBrowser opens the page in a new Chromium and kills all its processes: midway, which is shortly after the answer
// to its offer, during ICE or DTLS, or when labels come.
func (v visitors) killBrowser(ctx context.Context, midway bool) (err error) {
	profile, err := os.MkdirTemp("", "mindflow-churn-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, removeAll(profile)) }()
	moment := "live"
	if midway {
		moment = "offered"
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	script := filepath.Join(testkit.Root(), "bench", "churn", "browser.js")
	p, err := process.Start("node", script, v.url, moment, profile)
	if err != nil {
		return err
	}
	group, err := await(ctx, p.Out, moment)
	if midway {
		time.Sleep(rand.N(longest))
	}
	if group > 1 {
		_ = syscall.Kill(-group, syscall.SIGKILL) // it may have ended
	}
	p.Kill()
	if err != nil {
		return fmt.Errorf("browser: %w; make test installs Chromium and what drives it", err)
	}
	return nil
}

// await reads the browser's process group, and waits for the line that names the moment.
func await(ctx context.Context, out io.Reader, moment string) (group int, err error) {
	lines := make(chan string)
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		defer close(lines)
		for read := bufio.NewScanner(out); read.Scan(); {
			select {
			case lines <- read.Text():
			case <-ended:
				return
			}
		}
	}()
	for {
		select {
		case line, ok := <-lines:
			switch {
			case !ok:
				return group, errors.New("it ended before that")
			case line == moment:
				return group, nil
			case strings.HasPrefix(line, "failed: "):
				return group, errors.New(line)
			case group == 0:
				if group, err = strconv.Atoi(strings.TrimSpace(line)); err != nil {
					return 0, err
				}
			}
		case <-ctx.Done():
			return group, ctx.Err()
		}
	}
}

// removeAll removes a browser's profile. It tries for a second, as processes that are being killed may still write to
// it.
func removeAll(folder string) (err error) {
	for range 50 {
		if err = os.RemoveAll(folder); err == nil {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return err
}
