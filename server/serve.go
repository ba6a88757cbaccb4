package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"mindflow/server/operate"
)

// Serve serves until ctx ends. Then it takes no newcomers and waits for the sessions to go, Config.Grace at most and until
// Hurry is called; then it ends them, answers what was asked, and frees both ports.
// Call it once. The error says what went wrong; ctx's end is none.
func (s *Server) Serve(ctx context.Context) error {
	web := &http.Server{
		Handler:           s.routes(),
		ReadHeaderTimeout: s.cfg.timing.HeaderTime,
		ReadTimeout:       s.cfg.timing.RequestTime,
		WriteTimeout:      2 * s.cfg.timing.RequestTime, // who sends nothing until RequestTime is over is still told so; events move it on
		IdleTimeout:       s.cfg.timing.IdleTime,
		MaxHeaderBytes:    maxHeader,
		ConnContext:       limitWriteBuffer,
		ConnState:         s.conns.ConnState,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	s.cfg.Readiness.Set(operate.Serving) // before anybody is answered: who reaches the server finds it ready
	s.metrics.Ready.Set(1)
	served := make(chan error, 1)
	go func() { served <- s.serveWeb(web) }()
	s.log.Info("serving", s.places()...)

	var err error
	select {
	case <-ctx.Done():
		s.drain(web)
	case err = <-served:
		err = fmt.Errorf("serve HTTP: %w", err)
	}
	return errors.Join(err, s.shutdown(web))
}

// places are the addresses that are served, for the log.
func (s *Server) places() []any {
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

// serveWeb serves HTTP/1.1, over TLS if there is a configuration of it.
func (s *Server) serveWeb(web *http.Server) error {
	if s.cfg.TLS == nil {
		return web.Serve(s.web)
	}
	web.TLSConfig = s.cfg.TLS
	web.Protocols = new(http.Protocols)
	web.Protocols.SetHTTP1(true)
	return web.ServeTLS(s.web, "", "")
}

// Hurry ends a drain that is under way, or the next one, at once.
func (s *Server) Hurry() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.hurried {
		s.hurried = true
		close(s.hurry)
	}
}

// drain lets nobody in, asks those who are here to go on elsewhere, and waits for them. HTTP goes on, so that they can say
// that they go.
func (s *Server) drain(web *http.Server) {
	s.metrics.Ready.Set(0)
	s.cfg.Readiness.Set(operate.Draining) // before anybody is refused: who then asks is told why
	s.mu.Lock()
	s.closing = true
	left := len(s.sessions)
	s.mu.Unlock()
	web.SetKeepAlivesEnabled(false) // whoever balances load sends the next request to another server
	if s.cfg.Grace <= 0 || left == 0 {
		return
	}
	s.log.Info("draining", "sessions", left, "grace", s.cfg.Grace.String())
	close(s.leave)
	patience := time.NewTimer(s.cfg.Grace)
	defer patience.Stop()
	select {
	case <-s.gone():
	case <-patience.C:
	case <-s.hurry:
	}
	s.log.Info("drained", "sessions", s.Stats().Sessions)
}

// gone is closed when there are no sessions. None may be opened any more.
func (s *Server) gone() <-chan struct{} {
	gone := make(chan struct{})
	go func() { s.work.Wait(); close(gone) }()
	return gone
}

// shutdown ends what Serve and New began, last first: sessions, HTTP, the UDP port. Sessions and HTTP
// end side by side, since readers of events wait for sessions.
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
	case <-s.gone():
	case <-patience.Done():
		errs = append(errs, fmt.Errorf("%d sessions did not end within %s", s.Stats().Sessions, s.cfg.EndTime))
	}
	s.conns.CloseUnused()
	if err := web.Shutdown(patience); err != nil {
		errs = append(errs, fmt.Errorf("end HTTP: %w", err), web.Close())
	}
	return errors.Join(append(errs, s.closeMedia())...)
}
