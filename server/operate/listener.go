package operate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// closeTime is the time that requests have to end after Close has cancelled them. Only a client that does not read
// needs as much.
const closeTime = time.Second

// Listener serves HTTP on a port of its own until Close.
type Listener struct {
	name   string // for errors
	addr   net.Addr
	server *http.Server
	cancel context.CancelFunc // of the requests
	served chan error
}

// serve starts to serve on l. It takes over l and server.
func serve(name string, l net.Listener, server *http.Server) *Listener {
	ctx, cancel := context.WithCancel(context.Background())
	server.BaseContext = func(net.Listener) context.Context { return ctx }
	s := &Listener{name: name, addr: l.Addr(), server: server, cancel: cancel, served: make(chan error, 1)}
	go func() { s.served <- server.Serve(l) }()
	return s
}

// Addr returns the address that it listens on.
func (l *Listener) Addr() net.Addr { return l.addr }

// Close cancels the requests under way and frees the port.
func (l *Listener) Close() error {
	l.cancel()
	timeout, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	err := l.server.Shutdown(timeout)
	if errors.Is(err, context.DeadlineExceeded) {
		err = l.server.Close()
	}
	if failed := <-l.served; !errors.Is(failed, http.ErrServerClosed) {
		err = errors.Join(err, failed)
	}
	if err != nil {
		return fmt.Errorf("serve %s: %w", l.name, err)
	}
	return nil
}
