package operate

import (
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"mindflow/pipeline/field"
	"mindflow/server/ports"
)

// Connections to the redirect, in all and of one address. Each ends with its first answer.
const (
	redirectTotal = 256
	redirectEach  = 32
)

// ListenRedirect redirects each request at address, host:port, to HTTPS at the port httpsPort. The optional wrap is
// middleware before the redirect: it answers a certificate authority's challenges.
func ListenRedirect(
	address string, httpsPort int, wrap func(http.Handler) http.Handler, log *slog.Logger,
) (*Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, field.Errorf("Redirect", "listen for plain HTTP: %w: free the port or use another address", err)
	}
	handler := redirectTo(httpsPort)
	if wrap != nil {
		handler = wrap(handler)
	}
	return serve("plain HTTP", ports.LimitListener(l, redirectTotal, redirectEach), &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       5 * time.Second,
		WriteTimeout:      5 * time.Second,
		IdleTimeout:       10 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}), nil
}

// redirectTo redirects with status 308, which keeps the method: a publisher's POST stays a POST. It closes the
// connection, since this port answers nothing else.
func redirectTo(port int) http.Handler {
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
