package main

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

// beBrowser opens the page in a Chromium of its own, all of whose processes are killed: at a moment after the answer to its offer, in
// the middle of ICE or DTLS, or when labels come.
func (v visitors) beBrowser(ctx context.Context, midway bool) (err error) {
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
	group, err := awaited(ctx, p.Out, moment)
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

// awaited reads the browser's process group, and waits for its moment.
func awaited(ctx context.Context, out io.Reader, moment string) (group int, err error) {
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
				return group, errors.New("it ended by itself")
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

// removeAll removes a profile, to which a browser that is being killed may still write.
func removeAll(folder string) (err error) {
	for range 50 {
		if err = os.RemoveAll(folder); err == nil {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return err
}
