package serve

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"mindflow/cmd/mindflow/internal/clitest"
)

func TestMain(m *testing.M) { clitest.Main(m) }

// TestServe: the server starts, serves the page and the widget, and ends without an error.
func TestServe(t *testing.T) {
	listen := clitest.FreePort(t)
	args := append([]string{"--listen", listen, "--media", "127.0.0.1:0"}, clitest.EngineArgs(t)...)
	done, stop := clitest.Background(t, func(ctx context.Context) error {
		return Serve("test").Execute(ctx, args, nil,
			io.Discard)
	})
	client := &http.Client{Timeout: clitest.Patience}
	defer client.CloseIdleConnections()
	for path, want := range map[string]string{"/": "<mindflow-live", "/mindflow.js": "define", "/readyz": "",
		"/healthz": ""} {
		if body := clitest.Get(t, client, "http://"+listen+path, done); !strings.Contains(body, want) {
			t.Errorf("GET %s: %q, want %q in it", path, body, want)
		}
	}
	stop()
}

// TestServeAdmin: profiles are on the operators' port as long as the server runs, and not on the public one.
func TestServeAdmin(t *testing.T) {
	clitest.NoLeaks(t)
	listen, operators := clitest.FreePort(t), clitest.FreePort(t)
	args := append([]string{"--listen", listen, "--media", "127.0.0.1:0", "--admin", operators},
		clitest.EngineArgs(t)...)
	stop := clitest.Hosting(t, listen, func(ctx context.Context) error {
		return Serve("test").Execute(ctx, args, nil, io.Discard)
	})
	for address, want := range map[string]int{operators: http.StatusOK, listen: http.StatusNotFound} {
		response, err := http.Get("http://" + address + "/debug/pprof/goroutine?debug=1")
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("profiles at %s: %s, want %d", address, response.Status, want)
		}
	}
	stop()
	if c, err := net.Dial("tcp", operators); err == nil {
		c.Close()
		t.Error("the operators' port is open after the server's end")
	}
}
