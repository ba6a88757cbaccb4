package operate

import (
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"mindflow/pipeline/field"
)

// ListenAdmin serves at address, host:port, Go's profiles under /debug/pprof/, liveness at /healthz, and others by
// their path. There is no password: a client that reaches the port can read all of it and keep the process busy.
func ListenAdmin(address string, others map[string]http.Handler) (*Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, field.Errorf("Admin",
			"listen for operators: %w: free the port or use another address, such as 127.0.0.1:8081", err)
	}
	return serve("operators", l, &http.Server{
		Handler:           adminRoutes(others),
		ReadHeaderTimeout: 10 * time.Second, // writing has no limit: a profile may take minutes
		MaxHeaderBytes:    32 << 10,
	}), nil
}

// adminRoutes names each handler: pprof registers itself on http.DefaultServeMux, which may hold anything else.
func adminRoutes(others map[string]http.Handler) http.Handler {
	mux := http.NewServeMux()
	for path, h := range others {
		mux.Handle("GET "+path, h)
	}
	mux.HandleFunc("GET /healthz", alive)
	mux.HandleFunc("/debug/pprof/", pprof.Index) // and the profiles that it lists
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
