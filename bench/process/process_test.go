package process

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mindflow/server/loadtest"
)

// script writes a shell script that takes the place of mindflow.
func script(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mindflow")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

const serves = `echo 'level=INFO msg="serving operators" http=127.0.0.1:2' >&2
echo 'level=INFO msg=serving http=127.0.0.1:1 media=127.0.0.1:3' >&2
`

func TestStart(t *testing.T) {
	s, err := start(t.Context(), script(t, "trap 'exit 0' TERM\n"+serves+"while :; do sleep 0.05; done"), "--flag")
	if err != nil {
		t.Fatal(err)
	}
	if s.URL != "http://127.0.0.1:1" || s.Admin != "http://127.0.0.1:2" || s.Alive() != nil {
		t.Errorf("%s, %s, %v", s.URL, s.Admin, s.Alive())
	}
	stop := s.watch()
	time.Sleep(500 * time.Millisecond)
	samples := stop()
	if len(samples) == 0 || samples[0].RSS < 1000 || samples[0].CPU < 0 {
		t.Errorf("%+v", samples)
	}
	pid := s.cmd.Process.Pid
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the server is still there: %v", err)
	}
}

func TestStartFaults(t *testing.T) {
	for name, row := range map[string]struct{ binary, want string }{
		"none":         {"/nowhere/mindflow", "make build"},
		"does not":     {script(t, "echo 'port in use' >&2; exit 1"), "port in use"},
		"ends at once": {script(t, "exit 0"), "did not start"},
	} {
		if _, err := start(t.Context(), row.binary); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %q in it", name, err, row.want)
		}
	}
	s, err := start(t.Context(), script(t, serves+"echo ouch >&2; exit 3"))
	if err != nil {
		t.Fatal(err)
	}
	<-s.ended
	for _, err := range []error{s.Alive(), s.stop()} {
		if err == nil || !strings.Contains(err.Error(), "ouch") || !strings.Contains(err.Error(), "3") {
			t.Errorf("a server that ended by itself: %v", err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := start(ctx, script(t, "exec sleep 60")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("interrupted: %v", err)
	}
}

func TestRun(t *testing.T) {
	r, err := Run(t.Context(), script(t, "echo $1 $2; echo bad >&2; exit 2"), "a", "b")
	const want = "mindflow a: exit status 2: bad"
	if r.Out != "a b\n" || r.Wall <= 0 || err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%+v, %v", r, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if r, err := Run(ctx, script(t, "exec sleep 60")); !errors.Is(err, context.DeadlineExceeded) || r.Wall > stopTime {
		t.Errorf("interrupted: %+v, %v", r, err)
	}
}

func TestFrames(t *testing.T) {
	for text, want := range map[string]int{
		"/a, 9 b.mp4: 19.7 s, 640 by 360 pixels, 472 frames; 1 face\n":              472,
		"c.mp4: 19.7 s, 640 by 360 pixels, 471 frames, 99 of them analysed; 1 face": 471, "": 0, "t,frame,face": 0,
	} {
		if got, ok := Frames(text); got != want || ok != (want > 0) {
			t.Errorf("%q: %d, %v", text, got, ok)
		}
	}
}

func TestLoadTest(t *testing.T) {
	test := func(text string) (*loadtest.Result, error) {
		return loadTest(t.Context(), script(t, text), "http://x", "clip", 1, time.Second)
	}
	r, err := test(`echo '{"seconds": 2, "sessions": [{"p50_ms": 7}]}'; exit 1`)
	if err == nil || r == nil || r.Seconds != 2 || *r.Sessions[0].P50 != 7 {
		t.Errorf("%+v, %v", r, err)
	}
	for _, text := range []string{"exit 0", "echo no server >&2; exit 1"} {
		if r, err := test(text); r != nil || err == nil {
			t.Errorf("%s: %+v, %v", text, r, err)
		}
	}
}

func TestStat(t *testing.T) {
	at := time.Now()
	u, err := parseStat("7 (a ) b) S 1 7 7 0 -1 4194560 1 2 3 4 150 50 0 0 20 0 9 0 5 1000000 3 184467 1", at)
	if want := (Usage{at, 2 * time.Second, 3 * int64(os.Getpagesize())}); err != nil || u != want {
		t.Errorf("%+v, %v", u, err)
	}
	for _, text := range []string{"", "7 (a) S 1", "7 (a) S 1 7 7 0 -1 4194560 1 2 3 4 x 50 0 0 20 0 9 0 5 1000000 3"} {
		if u, err := parseStat(text, at); err == nil {
			t.Errorf("%q: %+v", text, u)
		}
	}
	seen := []Usage{{at, 0, 1}, {at.Add(time.Second), time.Second, 2},
		{at.Add(3 * time.Second), 2 * time.Second, 3}, {at.Add(9 * time.Second), 0, 4}}
	if got := Load(Within(seen, at.Add(time.Second), 4*time.Second)); got != 0.5 || Load(nil) != 0 {
		t.Errorf("%v seconds a second", got)
	}
}

func TestMetrics(t *testing.T) {
	v, err := parseMetrics("# HELP a b\n# TYPE a counter\na 1\nb{c=\"d e\"} 2.5e+06\n\n")
	if err != nil || len(v) != 2 || v["a"] != 1 || v[`b{c="d e"}`] != 2.5e6 {
		t.Errorf("%v, %v", v, err)
	}
	if _, err := parseMetrics("a one\n"); err == nil {
		t.Error("what is no number was read")
	}
	if _, err := (&Server{}).Metrics(); err == nil || !strings.Contains(err.Error(), "--admin") {
		t.Errorf("without operators' port: %v", err)
	}
}

func TestCollect(t *testing.T) {
	asked := 0
	operators := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked++; r.URL.Path != "/debug/pprof/heap" || r.FormValue("gc") != "1" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprintf(w, "heap profile: 1: 2 [3: 4] @ heap/1048576\n"+
			"# runtime.MemStats\n# Alloc = 1\n# HeapAlloc = %d\n# HeapSys = 9\n", 100*asked)
	}))
	defer operators.Close()
	s := &Server{Admin: operators.URL}
	if n, err := s.Collect(); n != 200 || err != nil {
		t.Errorf("%v, %v", n, err)
	}
}
