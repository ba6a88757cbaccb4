package operate

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mindflow/pipeline/testkit"
)

func openAdmin(t *testing.T) (a *Listener, url string) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("mindflow_sessions 1\n"))
	})
	a, err := ListenAdmin("127.0.0.1:0", map[string]http.Handler{"/metrics": metrics})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		testkit.NoLeaks(t, before)
	})
	return a, "http://" + a.Addr().String()
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// Profiles are there and what was given, and nothing else.
func TestAdmin(t *testing.T) {
	a, url := openAdmin(t)
	for path, want := range map[string]string{
		"/debug/pprof/": "goroutine", "/debug/pprof/goroutine?debug=1": "mindflow/server/operate",
		"/debug/pprof/cmdline": "test",
		"/debug/pprof/heap":    "", "/debug/pprof/allocs": "", "/debug/pprof/symbol": "num_symbols",
		"/metrics": "mindflow_sessions 1", "/healthz": "ok",
	} {
		if status, body := get(t, url+path); status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("GET %s: %d, %.200q, want %q in it", path, status, body, want)
		}
	}
	for _, path := range []string{"/", "/debug/", "/debug/vars", "/whip", "/debug/pprof/none"} {
		if status, _ := get(t, url+path); status != http.StatusNotFound {
			t.Errorf("GET %s: %d", path, status)
		}
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if _, err := http.Get(url); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("after Close: %v", err)
	}
}

// Close waits neither for a profile of an hour nor for a client that says nothing.
func TestCloseCutsShort(t *testing.T) {
	a, url := openAdmin(t)
	silent, err := net.Dial("tcp", a.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	ended := make(chan error, 1)
	response, err := http.Get(url + "/debug/pprof/trace?seconds=3600") // which begins to answer at once
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	go func() {
		_, err := io.Copy(io.Discard, response.Body)
		ended <- err
	}()
	began := time.Now()
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	<-ended
	if long := time.Since(began); long > 20*time.Second {
		t.Errorf("Close took %v", long)
	}
}

func TestListenAdminErrors(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, address := range []string{taken.Addr().String(), "8081", "127.0.0.1:none", "256.0.0.1:1"} {
		_, err := ListenAdmin(address, nil)
		host, _, _ := strings.Cut(address, ":")
		if err == nil || !strings.HasPrefix(err.Error(), "Admin: ") || !strings.Contains(err.Error(), host) {
			t.Errorf("%s: %v", address, err)
		}
	}
}
