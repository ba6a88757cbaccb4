// Package redirect sends those who come over plain HTTP to HTTPS, on a port of its own.
package redirect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"mindflow/pipeline/field"
	"mindflow/server/turnstile"
)

// Redirect is a listener of its own. Close ends it.
type Redirect struct {
	listener net.Listener
	server   *http.Server
	served   chan error
}

// Listen answers at address, host:port, each request with where the same is served over HTTPS, at the port httpsPort.
// What wrap makes of that handler is asked first, if there is a wrap: the place for a certificate authority's questions.
func Listen(address string, httpsPort int, wrap func(http.Handler) http.Handler, log *slog.Logger) (*Redirect, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, field.Errorf("Redirect", "listen for plain HTTP: %w: free the port or use another address", err)
	}
	bounded := turnstile.New(listener, 256, 32) // an answer takes no time
	handler := to(httpsPort)
	if wrap != nil {
		handler = wrap(handler)
	}
	r := &Redirect{listener: listener, served: make(chan error, 1)}
	r.server = &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       5 * time.Second,
		WriteTimeout:      5 * time.Second,
		IdleTimeout:       10 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	go func() { r.served <- r.server.Serve(bounded) }()
	return r, nil
}

// to redirects. 308 keeps the method: what a publisher posted goes on as a POST. The connection is not kept, as there is
// nothing more to ask of this port.
func to(port int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		} else if n := len(host); n > 2 && host[0] == '[' && host[n-1] == ']' { // an IPv6 address without port
			host = host[1 : n-1]
		}
		if host == "" {
			http.Error(w, "this server is reached over HTTPS", http.StatusBadRequest)
			return
		}
		if port != 443 {
			host = net.JoinHostPort(host, strconv.Itoa(port))
		} else if net.ParseIP(host).To4() == nil && net.ParseIP(host) != nil {
			host = "[" + host + "]"
		}
		http.Redirect(w, r, "https://"+host+r.URL.RequestURI(), http.StatusPermanentRedirect)
	})
}

// Addr is the address that it listens on.
func (r *Redirect) Addr() net.Addr { return r.listener.Addr() }

// Close frees the port.
func (r *Redirect) Close() error {
	waiting, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := r.server.Shutdown(waiting)
	if errors.Is(err, context.DeadlineExceeded) {
		err = r.server.Close()
	}
	if failed := <-r.served; !errors.Is(failed, http.ErrServerClosed) {
		err = errors.Join(err, failed)
	}
	if err != nil {
		return fmt.Errorf("serve plain HTTP: %w", err)
	}
	return nil
}
