package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"mindflow/cmd/mindflow/internal/clitest"
	"mindflow/pipeline"
	"mindflow/pipeline/synthetic"
	"mindflow/server/loadtest"
	"mindflow/server/whipclient"
)

// hosted is a server in a process of its own.
type hosted struct {
	*exec.Cmd
	url, admin string
	ended      chan error

	mu  sync.Mutex
	log bytes.Buffer // guarded by mu
}

func startHost(t *testing.T, exe string, args ...string) *hosted {
	t.Helper()
	listen, admin := clitest.FreePort(t), clitest.FreePort(t)
	h := &hosted{url: "http://" + listen, admin: "http://" + admin, ended: make(chan error, 1)}
	h.Cmd = exec.Command(exe, slices.Concat([]string{"serve", "--listen", listen, "--media", "127.0.0.1:0", "--admin",
		admin}, args, clitest.EngineArgs(t))...)
	said, err := h.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		lines := bufio.NewScanner(said)
		for lines.Scan() {
			h.mu.Lock()
			h.log.WriteString(lines.Text() + "\n")
			h.mu.Unlock()
		}
		h.ended <- h.Wait()
	}()
	t.Cleanup(func() {
		_ = h.Process.Kill() // where the test failed before its end
		if t.Failed() {
			t.Logf("the server's log:\n%s", h.said())
		}
	})
	h.until(t, "it is ready", func() bool { return statusOf(h.url+"/readyz") == http.StatusOK })
	return h
}

func (h *hosted) said() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.log.String()
}

func (h *hosted) until(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(clitest.Patience); !happened(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v until %s", clitest.Patience, what)
		}
	}
}

// statusOf returns the status of an answer, or 0 without an answer.
func statusOf(url string) int {
	code, _ := answerOf(url)
	return code
}

func answerOf(url string) (code int, body string) {
	response, err := http.Get(url)
	if err != nil {
		return 0, ""
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(text)
}

// dialHost publishes a drawn face until the test or the session ends.
func dialHost(t *testing.T, url string) *whipclient.Client {
	t.Helper()
	coding := loadtest.Coding{Width: 160, Height: 120, Rate: 15, Bitrate: 200_000}
	units, err := loadtest.Code(t.Context(), synthetic.NewVideo(coding.Width, coding.Height, coding.Rate,
		2*time.Second), coding, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), clitest.Patience)
	defer cancel()
	c, err := whipclient.Dial(ctx, url+"/whip", whipclient.Options{Codec: pipeline.VP8})
	if err != nil {
		t.Fatal(err)
	}
	sending, stop := context.WithCancel(context.Background())
	sent := make(chan error, 1)
	go func() { sent <- c.Publish(sending, units, true) }()
	t.Cleanup(func() {
		stop()
		<-sent
		_ = c.Abort()
	})
	select {
	case <-c.Labels():
	case <-ctx.Done():
		t.Fatal("no labels")
	}
	return c
}

func bye(t *testing.T, c *whipclient.Client) string {
	t.Helper()
	deadline := time.After(clitest.Patience)
	for {
		select {
		case said := <-c.Controls():
			if said.Type == "bye" {
				return said.Reason
			}
		case <-deadline:
			t.Fatal("no bye")
		}
	}
}

var supervising = regexp.MustCompile(`msg=supervising pid=(\d+)`)

// child returns the newest supervised process. Its log line may be read after it serves.
func (h *hosted) child(t *testing.T) int {
	t.Helper()
	var all [][]string
	h.until(t, "something is supervised", func() bool {
		all = supervising.FindAllStringSubmatch(h.said(), -1)
		return len(all) > 0
	})
	pid, err := strconv.Atoi(all[len(all)-1][1])
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// zombie reports whether a process has ended without a parent that reads its exit code.
func zombie(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(text), ") Z ")
}
