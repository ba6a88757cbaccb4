package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"mindflow/pipeline/field"
	"mindflow/server/admission"
	"mindflow/server/offer"
	"mindflow/server/operate"
	"mindflow/server/ports"
	"mindflow/server/ports/turn"
	"mindflow/server/session"
)

// HTTP connections at a time.
const (
	maxConnections = 4096
	maxPerSource   = 128
)

// Server serves publishers until its context ends.
type Server struct {
	// static after construction
	cfg       Config
	engine    session.Engine
	log       *slog.Logger
	codecs    offer.Codecs
	web       net.Listener
	conns     *ports.HTTPConns // of web
	media     *ports.Media
	turn      *turn.Server // nil without TURN
	factory   *session.Factory
	metrics   *operate.Metrics
	static    map[string]staticFile // files of the site by name
	draining  chan struct{}         // closed when publishers are asked to go elsewhere
	hurry     chan struct{}         // closed by Hurry
	load      *admission.LoadMeter
	admission *admission.Control
	parent    context.Context // of all sessions
	stop      context.CancelFunc

	warnProxy sync.Once
	work      sync.WaitGroup // sessions
	relayed   sync.Map       // relayUser of each open session

	mu       sync.Mutex
	sessions map[string]*hosted // guarded by mu; by id
	closing  bool               // guarded by mu; no session is admitted
	hurried  bool               // guarded by mu
}

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

// Addr returns the address of HTTP.
func (s *Server) Addr() net.Addr { return s.web.Addr() }

// MediaAddr returns an address of the UDP port; with several interfaces there are more, on the same port.
func (s *Server) MediaAddr() net.Addr { return net.UDPAddrFromAddrPort(s.media.Addrs()[0]) }

// MediaTCPAddr returns the address of the TCP port, or nil.
func (s *Server) MediaTCPAddr() net.Addr {
	if tcp := s.media.TCPAddr(); tcp != nil {
		return tcp
	}
	return nil
}

// TurnPort returns the port of TURN over UDP and TCP, or zero.
func (s *Server) TurnPort() int {
	if s.turn == nil {
		return 0
	}
	return s.turn.Port()
}

// Stats are counts of a running server.
type Stats struct {
	Sessions int               // open now
	Panics   uint64            // recovered; each ended one session
	Refused  map[string]uint64 // packets that the filter before the media ports dropped, by reason
}

// Stats returns the counts.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{Sessions: len(s.sessions), Panics: s.metrics.Panics.Load(), Refused: s.media.Filter.Drops()}
}
