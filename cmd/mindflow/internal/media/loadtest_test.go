package media

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"mindflow/cmd/mindflow/internal/clitest"
	"mindflow/pipeline/testkit"
)

func TestLoadTestFlags(t *testing.T) {
	const server = "http://localhost:1 "
	for _, c := range []struct{ args, want string }{
		{"--sessions 2", "name one server"},
		{server + server, "name one server"},
		{"localhost:8080", "loadtest: not the address of a server"},
		{"http://me:secret@localhost", "--token instead"},
		{server + "--sessions 0", "--sessions 0: use 1 to"},
		{server + "--duration 1ms", "--duration 1ms: use 1s to"},
		{server + "--size 640", "--size 640: use WIDTHxHEIGHT"},
		{server + "--rate NaN", "--rate NaN: use 1 to 240"},
		{server + "--bitrate 1", "--bitrate 1: use 30 to"},
		{server + "--loss 101", "--loss 101: use 0 to 100"},
		{server + "--loss NaN", "--loss NaN"},
		{server + "--jitter -1", "--jitter -1: use 0 to"},
		{server + "--bandwidth 5", "--bandwidth 5: use 10 to"},
		{server + "--max-p95 -1", "--max-p95, --min-rate"},
		{server + "--token ésecret", "beyond ASCII"},
		{server + "--input /nowhere/clip.mp4", "/nowhere/clip.mp4"},
		{server + "--nonsense", "-nonsense"},
	} {
		var out bytes.Buffer
		err := LoadTest().Execute(t.Context(), strings.Fields(c.args), nil, &out)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, want %q in it", c.args, err, c.want)
		}
	}
}

// loadResult is what `loadtest --json` prints.
type loadResult struct {
	Seconds  float64
	Overall  map[string]*float64
	Sessions []map[string]*float64
	Failed   []struct {
		Session int
		Refused bool
		Reason  string
	}
}

// loading runs `mindflow loadtest --json` and returns its result and error.
func loading(ctx context.Context, t *testing.T, args ...string) (r loadResult, err error) {
	t.Helper()
	var out bytes.Buffer
	err = LoadTest().Execute(ctx, append([]string{"--json", "--size", "320x240"}, args...), nil, &out)
	if e := json.Unmarshal(out.Bytes(), &r); e != nil {
		t.Fatalf("%q: %v, %v", out.String(), e, err)
	}
	return r, err
}

func TestLoadTest(t *testing.T) {
	clitest.NoLeaks(t)
	listen := clitest.FreePort(t)
	defer hosting(t, listen)()
	clip := testkit.MakeVideo(t, "clip.mp4", "-i", testkit.Clip(t), "-t", "3", "-c:v", "libx264")
	r, err := loading(t.Context(), t, "http://"+listen, "--sessions", "2", "--duration", "2s", "--input", clip)
	if err != nil || len(r.Sessions) != 2 || r.Seconds < 2 || len(r.Failed) != 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	want := []string{"age_p50_ms", "age_p95_ms", "labels_per_second_per_session", "lost", "p50_ms", "p95_ms", "p99_ms"}
	for _, f := range append(r.Sessions, r.Overall) {
		for name, value := range f {
			if value == nil {
				t.Fatalf("%s is not known: %v", name, f)
			}
		}
		if keys := slices.Sorted(maps.Keys(f)); !slices.Equal(keys, want) || *f["p95_ms"] < *f["p50_ms"] ||
			*f["age_p50_ms"] <= 0 || *f["age_p95_ms"] < *f["age_p50_ms"] || *f["labels_per_second_per_session"] <= 0 {
			t.Errorf("%v", f)
		}
	}
	// The drawn face at 10 frames a second cannot keep the limit. The result is printed all the same.
	r, err = loading(t.Context(), t, "http://"+listen+"/whip", "--duration", "1s", "--rate", "10", "--min-rate", "20",
		"--max-p95", "0.001")
	if err == nil || !strings.Contains(err.Error(), "--min-rate 20") || !strings.Contains(err.Error(),
		"--max-p95 0.001") || r.Overall["p50_ms"] == nil {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestLoadTestRefused: a full server is a failure. The token goes to it in the header alone.
func TestLoadTestRefused(t *testing.T) {
	clitest.NoLeaks(t)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer s3cret" || r.URL.String() != "/whip" {
			t.Errorf("%s with %q", r.URL, r.Header.Get("Authorization"))
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, `{"detail":"the server is full"}`)
	}))
	defer web.Close()
	r, err := loading(t.Context(), t, web.URL, "--sessions", "2", "--token", "s3cret")
	if err == nil || !strings.Contains(err.Error(), "the server is full") || strings.Contains(err.Error(), "s3cret") {
		t.Error(err)
	}
	if len(r.Failed) != 2 || !r.Failed[0].Refused || !r.Failed[1].Refused || len(r.Sessions) != 0 ||
		r.Overall["p95_ms"] != nil {
		t.Errorf("%+v", r)
	}
}

// TestLoadTestDamagedClip: a clip that cannot be read as a whole is not measured.
func TestLoadTestDamagedClip(t *testing.T) {
	clip := clitest.CutShort(t)
	var out bytes.Buffer
	err := LoadTest().Execute(t.Context(), []string{"http://127.0.0.1:1", "--input", clip}, nil, &out)
	if err == nil || !strings.Contains(err.Error(), clip+": the file is cut short") || out.Len() > 0 {
		t.Errorf("%v; printed %q", err, out.String())
	}
}

// TestLoadTestInterrupted: an interrupt before anything was counted is an error that says so.
func TestLoadTestInterrupted(t *testing.T) {
	clitest.NoLeaks(t)
	reached := make(chan struct{}, 1)
	web := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		reached <- struct{}{}
		<-r.Context().Done()
	}))
	defer web.Close()
	ctx, interrupt := context.WithTimeout(t.Context(), clitest.Patience)
	defer interrupt()
	go func() {
		<-reached
		interrupt()
	}()
	for range 2 { // the second is interrupted before it begins
		var out bytes.Buffer
		err := LoadTest().Execute(ctx, []string{web.URL, "--size", "64x48"}, nil, &out)
		if err == nil || !strings.Contains(err.Error(), "interrupted before anything was counted") || out.Len() > 0 {
			t.Errorf("%v; printed %q", err, out.String())
		}
	}
}
