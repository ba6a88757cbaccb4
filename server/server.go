package server

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"mindflow/pipeline"
	"mindflow/pipeline/field"
	"mindflow/server/access"
	"mindflow/server/admission"
	"mindflow/server/offer"
	"mindflow/server/operate"
	"mindflow/server/ports"
	"mindflow/server/ports/turn"
	"mindflow/server/session"
)

// Config is how a server runs. Zero values mean the defaults that the comments give.
type Config struct {
	Listen   string      // HTTP address, 127.0.0.1:8080
	TLS      *tls.Config // HTTPS is served there with it; plain HTTP
	Media    string      // the UDP port of all sessions, :8189
	MediaTCP string      // a TCP port of all sessions, for those that UDP does not reach; none
	// PublicIPs are addresses that the media ports have from outside, besides the machine's own. It is asked for each
	// session. None.
	PublicIPs   func() []netip.Addr
	Turn        string // an address for TURN over UDP and TCP, for those that nothing else reaches; none
	TurnTLS     string // a TCP address for TURN over TLS, with the certificate of TLS; none
	TurnHost    string // by which publishers find both; what they call the server
	MaxSessions int    // 16

	MaxPerAddress int           // sessions of one address, and those that wait from there; no limit
	MaxPerKey     int           // likewise of one key, whose token has no number of its own; no limit
	MaxWaiting    int           // newcomers that wait for a place; none
	MaxWait       time.Duration // how long they may; no limit
	SessionTime   time.Duration // of the longest session, whose token has none of its own; no limit
	MinLabels     float64       // a second: while sessions get fewer for want of the machine's time, newcomers wait; not measured
	Proxies       ports.Proxies // whose X-Forwarded-For is believed; none

	Codecs       []pipeline.Codec // in order of preference; default: offer.AllCodecs, in the publisher's order
	Access       *access.Gate     // who may use it; everybody
	AllowOrigins []string         // origins of pages besides the server's own, such as https://example.org, or *
	// FrameAncestors are the origins of pages that may show the page in a frame, or of "self", "none" and "*"; the server's own
	// and AllowOrigins, but for *.
	FrameAncestors []string

	MaxSide      int                // pixels of a frame's longer side that pages are asked to send at most; not asked for
	MaxFramerate int                // frames a second that pages are asked to send at most; not asked for
	Site         map[string][]byte  // files of the page by their path; optional
	Grace        time.Duration      // sessions may go on for so long after newcomers are refused; none
	EndTime      time.Duration      // for an orderly end, after Grace; default 5 s
	Version      string             // told in the Server header; none
	Log          *slog.Logger       // none
	Metrics      *operate.Metrics   // of this server alone; its own, that nobody reads
	Readiness    *operate.Readiness // likewise
	// Degraded returns the parts that work on less than they were configured for, and why. Their names are few and stay the
	// same. Optional.
	Degraded func() map[string]string

	timing timing
}

// timing are the times that only tests change. Zero values mean the defaults.
type timing struct {
	session.Timing
	HeaderTime  time.Duration // a request's header arrives within it; default 10 s
	RequestTime time.Duration // a request arrives within it, and its answer is sent within twice that; default 20 s
	IdleTime    time.Duration // an HTTP connection may wait this long for its next request; default 2 min
	Heartbeat   time.Duration // between two signs of life to a reader of events; default 15 s
}

func (t timing) withDefaults() timing {
	set := func(v *time.Duration, to time.Duration) {
		if *v == 0 {
			*v = to
		}
	}
	set(&t.HeaderTime, 10*time.Second)
	set(&t.RequestTime, 20*time.Second)
	set(&t.IdleTime, 2*time.Minute)
	set(&t.Heartbeat, 15*time.Second)
	return t
}

func (c Config) withDefaults() Config {
	set := func(v *string, to string) {
		if *v == "" {
			*v = to
		}
	}
	set(&c.Listen, "127.0.0.1:8080")
	set(&c.Media, ":8189")
	if c.EndTime == 0 {
		c.EndTime = 5 * time.Second
	}
	c.timing = c.timing.withDefaults()
	if c.MaxSessions == 0 {
		c.MaxSessions = 16
	}
	if c.Access == nil {
		c.Access = access.Open()
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Metrics == nil {
		c.Metrics = operate.NewMetrics(c.Version)
	}
	if c.Readiness == nil {
		c.Readiness = &operate.Readiness{}
	}
	return c
}

// Bounds of HTTP connections: in all, and of one source.
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
	leave     chan struct{}         // closed when the sessions are asked to go
	hurry     chan struct{}         // closed by Hurry
	load      *admission.LoadMeter
	admission *admission.Control
	parent    context.Context // of all sessions
	stop      context.CancelFunc

	warnProxy sync.Once
	work      sync.WaitGroup // sessions
	relayed   sync.Map       // relayUser of each open session

	mu       sync.Mutex
	sessions map[string]*hosted // guarded by mu
	closing  bool               // guarded by mu: nobody is let in
	hurried  bool               // guarded by mu
}

// New binds both ports. An error names the one it could not have and what to do about it.
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
	cfg.Metrics.CounterVecFunc("http_refused_connections_total", "HTTP connections that were one too many.", "bound", conns.Refused)
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
		metrics: cfg.Metrics, leave: make(chan struct{}), hurry: make(chan struct{}), sessions: map[string]*hosted{},
		load: admission.NewLoadMeter(cfg.MinLabels),
	}
	s.admission = admission.NewControl(cfg.limits(), s.load.Load)
	s.registerMetrics()
	if cfg.Degraded != nil {
		cfg.Readiness.SetDegraded(cfg.Degraded)
	}
	cfg.Metrics.CounterVecFunc("media_port_dropped_packets_total", "Packets that the filter before the media ports did not let through.", "reason",
		media.Filter.Drops)
	if err := s.listenTURN(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if media.TCPMux() != nil || s.turn != nil {
		cfg.Metrics.CounterVecFunc("refused_connections_total", "TCP connections beyond what a port, or an address at it, may hold.", "port", s.refusedConnections)
	}
	if s.factory, err = session.NewFactory(s.sessionConfig()); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// sessionConfig returns what sessions share.
func (s *Server) sessionConfig() session.Config {
	return session.Config{
		Engine: &s.engine, Codecs: s.codecs, Ports: s.media, MaxSide: s.cfg.MaxSide, MaxFramerate: s.cfg.MaxFramerate,
		Timing: s.cfg.timing.Timing, Draining: s.leave, Metrics: s.metrics, Log: s.log,
		OnLabels: func(took time.Duration) { s.load.Add(took, time.Now()) },
	}
}

// Close frees the ports of a server that is not to be served after all. Serve does so itself.
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

// Addr is the address that HTTP is served on.
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

// Stats says how the server is doing.
type Stats struct {
	Sessions int               // open now
	Panics   uint64            // caught so far; each ended one session
	Refused  map[string]uint64 // packets that the filter before the media ports did not let through, by reason
}

// Stats counts.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{Sessions: len(s.sessions), Panics: s.metrics.Panics.Load(), Refused: s.media.Filter.Drops()}
}
