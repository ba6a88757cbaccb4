// Package admin serves those who run a server, on a port of its own: metrics, whether it is ready, and profiles of the
// running process.
package admin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"mindflow/pipeline/field"
)

// Admin is a listener of its own. Close ends it.
type Admin struct {
	listener net.Listener
	server   *http.Server
	end      context.CancelFunc // of the requests
	served   chan error
}

// Listen serves at address, host:port, Go's profiles under /debug/pprof/, that the process is alive at /healthz, and what
// others give by path. There is no password: whoever reaches the port may read all of it and make the process busy.
func Listen(address string, others map[string]http.Handler) (*Admin, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, field.Errorf("Admin", "listen for operators: %w: free the port or use another address, such as 127.0.0.1:8081", err)
	}
	ctx, end := context.WithCancel(context.Background())
	a := &Admin{listener: listener, end: end, served: make(chan error, 1)}
	a.server = &http.Server{
		Handler:           routes(others),
		ReadHeaderTimeout: 10 * time.Second, // writing has no limit: a profile may take minutes
		MaxHeaderBytes:    32 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	go func() { a.served <- a.server.Serve(listener) }()
	return a, nil
}

// routes has the handlers by name: on http.DefaultServeMux, where pprof puts itself, anything could stand.
func routes(others map[string]http.Handler) http.Handler {
	mux := http.NewServeMux()
	for path, h := range others {
		mux.Handle("GET "+path, h)
	}
	mux.HandleFunc("GET /healthz", alive)
	mux.HandleFunc("/debug/pprof/", pprof.Index) // and those that it lists
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}

func alive(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n")) // a write error means that the client is gone
}

// Addr is the address that it listens on.
func (a *Admin) Addr() net.Addr { return a.listener.Addr() }

// grace is what answers that were cut short have to end. Only a client that does not read needs as much.
const grace = time.Second

// Close cuts short what is being asked for and frees the port.
func (a *Admin) Close() error {
	a.end()
	waiting, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	err := a.server.Shutdown(waiting)
	if errors.Is(err, context.DeadlineExceeded) {
		err = a.server.Close()
	}
	if failed := <-a.served; !errors.Is(failed, http.ErrServerClosed) {
		err = errors.Join(err, failed)
	}
	if err != nil {
		return fmt.Errorf("serve operators: %w", err)
	}
	return nil
}
