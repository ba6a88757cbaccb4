package loadtest

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mindflow/server/whipclient"
)

// What is counted agrees with what the server says on another way: of each session the messages of the time, all of
// them, and no more.
func TestRun(t *testing.T) {
	h := host(t, 2)
	var words []string
	plan := h.plan(t, 2)
	plan.Progress = func(text string) { words = append(words, text) }
	r, err := Run(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	if since := time.Since(r.Began).Seconds(); err != nil || since < r.Seconds || since > r.Seconds+patience.Seconds() {
		t.Errorf("counting began at %v", r.Began)
	}
	if want := 2 * small.Rate * r.Seconds; float64(r.Sent) < want/2 || float64(r.Sent) > want*1.1 {
		t.Errorf("%d frames were sent, want about %v", r.Sent, want)
	}
	if err := r.Check(Limits{}); err != nil || len(r.Sessions) != 2 || r.Seconds < 2 {
		t.Fatalf("%+v: %v", r, err)
	}
	h.work.Wait() // the sessions have ended, and so have their events
	var counted, told []span
	for _, f := range r.Sessions {
		if f.seqs.got+f.Lost != f.seqs.last-f.seqs.first+1 || f.Rate*r.Seconds < float64(f.seqs.got)-0.1 ||
			f.P50 == nil ||
			*f.P50 <= 0 ||
			*f.P95 < *f.P50 {
			t.Errorf("session %d: %+v", f.session, f)
		}
		counted = append(counted, span{f.seqs.first, f.seqs.last})
	}
	for _, seqs := range h.events {
		told = append(told, span{slices.Min(seqs), slices.Max(seqs)})
	}
	if len(told) != 2 ||
		!within(counted[0], told[0], counted[1], told[1]) && !within(counted[0], told[1], counted[1], told[0]) {
		t.Errorf("counted %v, the server told of %v", counted, told)
	}
	if text := strings.Join(words, "\n"); !strings.Contains(text, "connecting: 1 of 2 sessions") ||
		!strings.Contains(text, "2 sessions, ") {
		t.Errorf("progress %q", words)
	}
}

type span struct{ first, last uint64 }

// within reports whether a lies in b, and c in d.
func within(a, b, c, d span) bool {
	return a.first >= b.first && a.last <= b.last && c.first >= d.first && c.last <= d.last
}

// Who is refused is told, and the others are measured.
func TestRunRefused(t *testing.T) {
	h := host(t, 1)
	r, err := Run(t.Context(), h.plan(t, 2))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Sessions) != 1 || r.Sessions[0].P50 == nil || len(r.Failed) != 1 || !r.Failed[0].Refused ||
		!strings.Contains(r.Failed[0].Reason, "503") {
		t.Fatalf("%+v", r)
	}
	if r.Failed[0].Session == r.Sessions[0].session {
		t.Errorf("session %d was refused and measured", r.Failed[0].Session)
	}
	if err := r.Check(Limits{}); err == nil || !strings.Contains(err.Error(), "was refused: the server answered 503") {
		t.Errorf("%v", err)
	}
}

func TestRunWithoutServer(t *testing.T) {
	plan := Plan{URL: "http://127.0.0.1:1/whip", Client: http.DefaultClient, Sessions: 2, Duration: time.Hour,
		Units: coded(t, small, time.Second), Rate: 30, Progress: func(string) {}}
	r, err := Run(t.Context(), plan)
	if err != nil || len(r.Sessions) != 0 || len(r.Failed) != 2 || r.Failed[0].Refused ||
		!strings.Contains(r.Failed[0].Reason, "connection refused") {
		t.Errorf("%+v, %v", r, err)
	}
}

// A server that ends its sessions ends the test, with what was counted so far.
func TestRunServerStops(t *testing.T) { runUntilStop(t, host(t, 2), "shutdown") }

// A server that is about to stop and would wait for an hour is left at once.
func TestRunServerDrains(t *testing.T) { runUntilStop(t, hostWithGrace(t, 2, time.Hour), "draining") }

func runUntilStop(t *testing.T, h *hosted, why string) {
	plan := h.plan(t, 2)
	plan.Duration = time.Hour
	var once sync.Once
	plan.Progress = func(text string) {
		if strings.Contains(text, "labels a second") && !strings.Contains(text, "– ms") {
			once.Do(func() { go h.stop() })
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r, err := Run(ctx, plan)
	if err != nil || ctx.Err() != nil {
		t.Fatal(err, ctx.Err())
	}
	if len(r.Sessions) != 2 || r.Overall.P50 == nil || len(r.Failed) != 2 || r.Failed[0].Refused ||
		!strings.Contains(r.Failed[0].Reason, why) {
		t.Errorf("%+v", r)
	}
}

// Interrupted, a test gives what it counted, once it counted.
func TestRunInterrupted(t *testing.T) {
	h := host(t, 1)
	plan := h.plan(t, 1)
	plan.Duration = time.Hour
	ctx, interrupt := context.WithTimeout(t.Context(), patience)
	defer interrupt()
	plan.Progress = func(text string) {
		if strings.Contains(text, "labels a second") && !strings.Contains(text, "– ms") {
			interrupt()
		}
	}
	r, err := Run(ctx, plan)
	if err != nil || r.Overall.P50 == nil || r.Seconds > patience.Seconds() || r.Check(Limits{}) != nil {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := Run(ctx, plan); err == nil ||
		!strings.Contains(err.Error(), "interrupted before anything was counted") {
		t.Errorf("at once: %v", err)
	}
}

// Over a bad line there are labels; over one that nothing passes there are none, which is a failure.
func TestRunOverBadLines(t *testing.T) {
	h := host(t, 1)
	plan := h.plan(t, 1)
	plan.Conditions = whipclient.Conditions{Loss: 0.05, Jitter: 10 * time.Millisecond, Bandwidth: 2_000_000}
	r, err := Run(t.Context(), plan)
	if err != nil || r.Check(Limits{}) != nil {
		t.Errorf("%+v, %v", r, err)
	}
	plan.Conditions, plan.Duration = whipclient.Conditions{Loss: 1}, time.Second
	r, err = Run(t.Context(), plan)
	if err != nil || r.Overall.Rate != 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	if err := r.Check(Limits{}); err == nil || !strings.Contains(err.Error(), "no label came") {
		t.Error(err)
	}
}
