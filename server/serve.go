package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"mindflow/pipeline/field"
	"mindflow/server/admission"
	"mindflow/server/offer"
	"mindflow/server/operate"
	"mindflow/server/ports"
	"mindflow/server/session"
)

// Limits of HTTP.
const (
	maxConnections = 4096     // at a time
	maxPerSource   = 128      // at a time
	maxHeader      = 32 << 10 // bytes of a request's header
)

// New opens the ports. An error of a port is a *field.Error, which says what to do about it.
func New(cfg Config, e session.Engine) (*Server, error) {
	if len(e.Analyses) == 0 {
		return nil, errors.New("the engine offers no analysis; give it one")
	}
	cfg = cfg.withDefaults()
	codecs, err := offer.NewCodecs(cfg.Codecs)
	if err != nil {
		return nil, &field.Error{Field: "Codecs", Err: err}
	}
	static, err := newStaticFiles(cfg.Site)
	if err != nil {
		return nil, err
	}
	web, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return nil, ports.ListenError("TCP", cfg.Listen, "Listen", err)
	}
	conns := ports.NewHTTPConns(maxConnections, maxPerSource, cfg.Proxies)
	media, err := ports.OpenMedia(ports.MediaConfig{
		UDP: cfg.Media, TCP: cfg.MediaTCP, Sessions: cfg.MaxSessions, PublicIPs: cfg.PublicIPs, Log: cfg.Log,
	})
	if err != nil {
		return nil, errors.Join(err, web.Close())
	}
	parent, stop := context.WithCancel(context.Background())
	s := &Server{
		cfg: cfg, engine: e, log: cfg.Log, codecs: codecs, web: web, media: media, parent: parent, stop: stop,
		conns:   conns,
		static:  static,
		metrics: cfg.Metrics, draining: make(chan struct{}), hurry: make(chan struct{}), sessions: map[string]*hosted{},
		load: admission.NewLoadMeter(cfg.MinLabels),
	}
	s.admission = admission.NewControl(cfg.Limits.admission(), s.load.Load)
	s.registerMetrics()
	if cfg.Degraded != nil {
		cfg.Readiness.SetDegraded(cfg.Degraded)
	}
	if err := s.listenTURN(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if media.TCPMux() != nil || s.turn != nil {
		cfg.Metrics.CounterVecFunc("refused_connections_total",
			"TCP connections beyond what a port, or an address at it, may hold.", "port", s.refusedConnections)
	}
	if s.factory, err = session.NewFactory(s.sessionConfig()); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// sessionConfig returns what all sessions share.
func (s *Server) sessionConfig() session.Config {
	return session.Config{
		Engine: &s.engine, Codecs: s.codecs, Ports: s.media, MaxSide: s.cfg.MaxSide, MaxFramerate: s.cfg.MaxFramerate,
		Timing: s.cfg.timing.Timing, Draining: s.draining, Metrics: s.metrics, Log: s.log,
		OnLabels: func(took time.Duration) { s.load.Add(took, time.Now()) },
	}
}

// Serve serves until ctx ends. Then it drains: it admits no sessions and waits for the open ones to go, for
// Config.Grace at most or until Hurry is called. Then it ends them, answers the requests that have arrived, and frees
// the ports. Call it once. The end of ctx is not an error.
func (s *Server) Serve(ctx context.Context) error {
	web := &http.Server{
		Handler:           s.routes(),
		ReadHeaderTimeout: s.cfg.timing.HeaderTime,
		ReadTimeout:       s.cfg.timing.RequestTime,
		WriteTimeout:      2 * s.cfg.timing.RequestTime, // a request that is too slow is answered; events extend it
		IdleTimeout:       s.cfg.timing.IdleTime,
		MaxHeaderBytes:    maxHeader,
		ConnContext:       limitWriteBuffer,
		ConnState:         s.conns.ConnState,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	s.cfg.Readiness.Set(operate.Serving) // before the first answer: a client that reaches the server finds it ready
	s.metrics.Ready.Set(1)
	served := make(chan error, 1)
	go func() { served <- s.serveWeb(web) }()
	s.log.Info("serving", s.addresses()...)

	var err error
	select {
	case <-ctx.Done():
		s.drain(web)
	case err = <-served:
		err = fmt.Errorf("serve HTTP: %w", err)
	}
	return errors.Join(err, s.shutdown(web))
}

// addresses returns the served addresses for the log.
func (s *Server) addresses() []any {
	web := "http"
	if s.cfg.TLS != nil {
		web = "https"
	}
	list := []any{web, s.Addr().String(), "media", s.MediaAddr().String()}
	if tcp := s.media.TCPAddr(); tcp != nil {
		list = append(list, "media_tcp", tcp.String())
	}
	if s.turn != nil && s.turn.Port() != 0 {
		list = append(list, "turn", s.turn.Port())
	}
	if s.turn != nil && s.turn.TLSPort() != 0 {
		list = append(list, "turn_tls", s.turn.TLSPort())
	}
	return list
}

// serveWeb serves HTTP/1.1, over TLS if it is configured.
func (s *Server) serveWeb(web *http.Server) error {
	if s.cfg.TLS == nil {
		return web.Serve(s.web)
	}
	web.TLSConfig = s.cfg.TLS
	web.Protocols = new(http.Protocols)
	web.Protocols.SetHTTP1(true)
	return web.ServeTLS(s.web, "", "")
}

// Hurry ends the current drain, or the next one, at once.
func (s *Server) Hurry() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.hurried {
		s.hurried = true
		close(s.hurry)
	}
}

// drain admits no sessions, asks publishers to go elsewhere, and waits for them. HTTP is still served, so that
// publishers can end their sessions.
func (s *Server) drain(web *http.Server) {
	s.metrics.Ready.Set(0)
	s.cfg.Readiness.Set(operate.Draining) // before the first refusal, so that the reason can be read
	s.mu.Lock()
	s.closing = true
	left := len(s.sessions)
	s.mu.Unlock()
	web.SetKeepAlivesEnabled(false) // a load balancer then sends the next request to another server
	if s.cfg.Grace <= 0 || left == 0 {
		return
	}
	s.log.Info("draining", "sessions", left, "grace", s.cfg.Grace.String())
	close(s.draining)
	patience := time.NewTimer(s.cfg.Grace)
	defer patience.Stop()
	select {
	case <-s.noSessions():
	case <-patience.C:
	case <-s.hurry:
	}
	s.log.Info("drained", "sessions", s.Stats().Sessions)
}

// noSessions returns a channel that is closed when there are no sessions. None may be opened any more.
func (s *Server) noSessions() <-chan struct{} {
	gone := make(chan struct{})
	go func() { s.work.Wait(); close(gone) }()
	return gone
}

// shutdown ends what Serve and New began, in reverse order: sessions, HTTP, the media ports. Sessions and HTTP end at
// the same time, since readers of events wait for sessions.
func (s *Server) shutdown(web *http.Server) error {
	patience, cancel := context.WithTimeout(context.Background(), s.cfg.EndTime)
	defer cancel()
	s.metrics.Ready.Set(0)
	s.cfg.Readiness.Set(operate.Stopping)
	s.mu.Lock()
	s.closing = true
	s.mu.Unlock()
	s.stop()

	var errs []error
	select {
	case <-s.noSessions():
	case <-patience.Done():
		errs = append(errs, fmt.Errorf("%d sessions did not end within %s", s.Stats().Sessions, s.cfg.EndTime))
	}
	s.conns.CloseUnused()
	if err := web.Shutdown(patience); err != nil {
		errs = append(errs, fmt.Errorf("end HTTP: %w", err), web.Close())
	}
	return errors.Join(append(errs, s.closeMedia())...)
}

// Close frees the ports. Call it when Serve is not called, which frees them itself.
func (s *Server) Close() error {
	s.stop()
	return errors.Join(s.closeMedia(), s.web.Close())
}

func (s *Server) closeMedia() error {
	var err error
	if s.turn != nil {
		err = s.turn.Close()
	}
	return errors.Join(err, s.media.Close())
}
