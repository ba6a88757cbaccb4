package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"mindflow/cmd/mindflow/internal/clitest"
	"mindflow/pipeline"
	"mindflow/server/whipclient"
)

// TestOperate: an operator sees in metrics and log what a server does. One signal drains it, two stop it at once.
func TestOperate(t *testing.T) {
	clitest.NoLeaks(t)
	exe := clitest.Binary(t)
	t.Run("drain", func(t *testing.T) {
		h := startHost(t, exe, "--grace", "1h", "--log-format", "json", "--log-level", "debug")
		c := dialHost(t, h.url)
		id := c.Session()[strings.LastIndexByte(c.Session(), '/')+1:]
		_, scraped := answerOf(h.admin + "/metrics")
		for _, want := range []string{"mindflow_sessions 1\n", `mindflow_c_objects{kind="decoder"} 1`,
			"mindflow_ready 1\n", "mindflow_batch_faces_count ", "process_open_fds ", "go_goroutines "} {
			if !strings.Contains(scraped, want) {
				t.Errorf("%q is not in the metrics", want)
			}
		}
		if strings.Contains(scraped, id[:8]) || strings.Contains(scraped, "127.0.0.1") {
			t.Error("the metrics name a session or an address")
		}
		if code, _ := answerOf(h.url + "/metrics"); code != http.StatusNotFound {
			t.Errorf("the public port answers /metrics with %d", code)
		}
		var said bytes.Buffer
		if err := run(t.Context(), []string{"ready", h.admin}, &said); err != nil || said.String() != "ready\n" {
			t.Errorf("mindflow ready: %q, %v", said.String(), err)
		}
		if err := h.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if why := bye(t, c); why != "draining" {
			t.Errorf("bye because of %q", why)
		}
		if err := run(t.Context(), []string{"ready", h.admin}, io.Discard); err == nil ||
			!strings.Contains(err.Error(), "about to stop") {
			t.Errorf("mindflow ready, of one that drains: %v", err)
		}
		for _, url := range []string{h.url, h.admin} {
			if code, body := answerOf(url + "/readyz"); code != http.StatusServiceUnavailable ||
				!strings.Contains(body, `"draining"`) {
				t.Errorf("%s/readyz: %d %s", url, code, body)
			}
		}
		_, err := whipclient.Dial(t.Context(), h.url+"/whip", whipclient.Options{Codec: pipeline.VP8})
		var refused *whipclient.RefusedError
		if !errors.As(err, &refused) || refused.Status != http.StatusServiceUnavailable || refused.RetryAfter == 0 {
			t.Errorf("a newcomer: %v", err)
		}
		if err := h.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if why := bye(t, c); why != "shutdown" {
			t.Errorf("after the second signal bye because of %q", why)
		}
		if err := <-h.ended; err != nil {
			t.Errorf("it ended with %v", err)
		}
		checkLog(t, h.said(), id)
	})
	t.Run("drain that all obey", func(t *testing.T) {
		h := startHost(t, exe, "--grace", "1h")
		c := dialHost(t, h.url)
		if err := h.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if why := bye(t, c); why != "draining" {
			t.Errorf("bye because of %q", why)
		}
		if err := c.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-h.ended; err != nil {
			t.Errorf("it ended with %v", err)
		}
	})
	t.Run("supervised", func(t *testing.T) { faultIsSurvived(t, exe) })
	t.Run("orphan", func(t *testing.T) {
		h := startHost(t, exe, "--supervise")
		child := h.child(t)
		if err := h.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		h.until(t, "the child has ended too", func() bool {
			return errors.Is(syscall.Kill(child, 0), syscall.ESRCH) ||
				zombie(child)
		})
		<-h.ended
	})
	t.Run("supervised, and cannot start", func(t *testing.T) {
		// A missing folder of models ends the child at once. A fault after the models are loaded may take a busy
		// machine longer than the supervisor's bound on a failed start.
		out, err := exec.Command(exe, append(append([]string{"serve", "--supervise", "--listen", "127.0.0.1:0"},
			clitest.EngineArgs(t)...), "--models", "/nowhere/models")...).CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 || strings.Count(string(out), "/nowhere/models") != 1 {
			t.Errorf("%v: %s", err, out)
		}
	})
}

// faultIsSurvived checks that after a fault as in C another process serves at the same address.
func faultIsSurvived(t *testing.T, exe string) {
	h := startHost(t, exe, "--supervise", "--grace", "0s")
	first := h.child(t)
	if err := syscall.Kill(first, syscall.SIGSEGV); err != nil {
		t.Fatal(err)
	}
	h.until(t, "another process serves", func() bool {
		return h.child(t) != first &&
			statusOf(h.url+"/readyz") == http.StatusOK
	})
	c := dialHost(t, h.url)
	if err := c.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := h.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-h.ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
	if statusOf(h.url+"/healthz") != 0 {
		t.Error("something serves after the end")
	}
}

// checkLog checks a log in JSON: the lines of a session have its short id, and no line has what gives access to a
// session.
func checkLog(t *testing.T, log, id string) {
	t.Helper()
	ofSession := 0
	for line := range strings.Lines(log) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Errorf("%q is no JSON: %v", line, err)
			continue
		}
		if fields["session"] == id[:8] {
			ofSession++
		}
		if strings.Contains(line, id) {
			t.Errorf("a line tells the whole of a session's id: %s", line)
		}
		if fields["level"] != "DEBUG" && fields["session"] != nil && strings.Contains(line, "127.0.0.1") {
			t.Errorf("a session's line tells an address: %s", line)
		}
		if strings.Contains(line, "ice-pwd") || strings.Contains(line, "v=0") {
			t.Errorf("a line tells a description: %s", line)
		}
	}
	if ofSession < 3 {
		t.Errorf("%d lines are of the session:\n%s", ofSession, log)
	}
}
