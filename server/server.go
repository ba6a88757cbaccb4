package server

import (
	"context"
	"log/slog"
	"net"
	"sync"

	"mindflow/server/admission"
	"mindflow/server/offer"
	"mindflow/server/operate"
	"mindflow/server/ports"
	"mindflow/server/ports/turn"
	"mindflow/server/session"
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
	static    staticFiles
	draining  chan struct{} // closed when publishers are asked to go elsewhere
	hurry     chan struct{} // closed by Hurry
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

// hosted is a session and what the server knows about it.
type hosted struct {
	*session.Session
	owner string // the subject that may see and control it; empty means everybody who knows its id
	place *admission.Place
	gone  chan struct{} // closed when its place is free
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
