package server

import (
	"net/http"
	"strings"

	"mindflow/server/sdpfrag"
)

// routes returns the handler of all HTTP requests.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	origins := cors{s.cfg.AllowOrigins, s.cfg.Proxies, s.refused}
	handle := func(path string, m methods) { mux.Handle(path, origins.require(s.answering(m.serve))) }
	whip := methods{
		"GET":     func(w http.ResponseWriter, _ *http.Request) error { return noContent(w) },
		"POST":    s.requireAuth(s.publish),
		"OPTIONS": s.options,
	}
	handle("/whip", whip)
	handle("/whip/{$}", whip)
	handle("/whip/{key...}", methods{"GET": noStreamKey, "POST": noStreamKey, "OPTIONS": noStreamKey})
	handle("/sessions/{id}", methods{
		"GET":    s.requireAuth(s.inspect),
		"PATCH":  s.requireAuth(s.amend),
		"DELETE": s.requireAuth(s.remove),
		"OPTIONS": func(w http.ResponseWriter, _ *http.Request) error {
			return options(w, "Accept-Patch", sdpfrag.MediaType)
		},
	})
	handle("/sessions/{id}/labels", methods{
		"GET":     s.requireAuth(s.streamLabels),
		"OPTIONS": func(w http.ResponseWriter, _ *http.Request) error { return noContent(w) },
	})
	handle("/waiting", methods{
		"GET":     s.requireAuth(s.waiting),
		"DELETE":  s.requireAuth(s.leaveQueue),
		"OPTIONS": func(w http.ResponseWriter, _ *http.Request) error { return noContent(w) },
	})
	handle("/healthz", methods{"GET": s.healthy})
	handle("/readyz", methods{"GET": s.ready})
	mux.Handle("/", origins.permit(s.answering(methods{"GET": s.static.page}.serve)))
	return s.securityHeaders(singleSlash(mux))
}

// singleSlash serves //whip, as some proxies write /whip when they remove a path prefix. ServeMux would redirect to
// /whip, which leads out of the prefix.
func singleSlash(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "//") {
			r.URL.Path, r.URL.RawPath = "/"+strings.TrimLeft(r.URL.Path, "/"), ""
		}
		next.ServeHTTP(w, r)
	})
}

// noStreamKey answers publishers whose address has a stream key behind the path, as those of other servers do.
func noStreamKey(http.ResponseWriter, *http.Request) error {
	return newProblem(http.StatusNotFound, "the address to publish to ends with /whip, and no stream key follows; "+
		"if the server requires a token, send it as Authorization: Bearer")
}

// healthy serves GET /healthz: the process answers.
func (s *Server) healthy(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err := strings.NewReader("ok\n").WriteTo(w)
	return err
}

// ready serves GET /readyz: it tells whether sessions are admitted, capacity apart.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) error {
	s.cfg.Readiness.ServeHTTP(w, r)
	return nil
}
