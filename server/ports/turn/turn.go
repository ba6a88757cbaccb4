// Package turn is a TURN server (RFC 8656) that relays to the media port of its own process and nowhere else, for
// publishers whose network lets nothing else through.
package turn

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/logging"
	pion "github.com/pion/turn/v4"

	"mindflow/pipeline/field"
	"mindflow/server/ports"
)

const realm = "mindflow"

// Config says where the server is and how much it takes on. All but Idle, Alive and Now is required.
type Config struct {
	UDP         []net.PacketConn       // sockets, which become the server's
	TCP         []net.Listener         // plain and TLS; they become the server's. They should be bounded
	Media       []netip.AddrPort       // the only peers that anything is relayed to; those of IPv4 count
	Allocations int                    // at a time
	OfUser      int                    // of them
	Life        time.Duration          // of an allocation at most
	Idle        time.Duration          // without a packet of the media port an allocation ends; a minute
	Alive       func(user string) bool // whether a user's credentials are still good; they expire, alive or not. All are
	Now         func() time.Time       // time.Now
	Log         *slog.Logger
	Pion        logging.LoggerFactory // for what the library has to say
}

// Server relays until Close.
type Server struct {
	// static after construction
	cfg    Config
	secret []byte
	peers  map[netip.AddrPort]bool
	hosts  map[netip.Addr]bool // of peers
	inner  *pion.Server
	asking *askers

	// set by Listen
	limited       []*ports.LimitedListener // of TCP
	port, tlsPort int                      // zero without

	drops  [reasons]atomic.Uint64
	ending atomic.Bool

	mu     sync.Mutex
	relays map[uint16]*relay // guarded by mu: open, by their port
	held   map[client]*relay // guarded by mu: that belong to an allocation
}

// New serves at once.
func New(cfg Config) (*Server, error) {
	s := &Server{
		cfg: cfg, secret: make([]byte, 32), asking: newAskers(),
		peers: map[netip.AddrPort]bool{}, hosts: map[netip.Addr]bool{},
		relays: map[uint16]*relay{}, held: map[client]*relay{},
	}
	if s.cfg.Idle == 0 {
		s.cfg.Idle = time.Minute
	}
	if s.cfg.Now == nil {
		s.cfg.Now = time.Now
	}
	_, _ = rand.Read(s.secret) // never fails: crypto/rand ends the program instead
	for _, m := range cfg.Media {
		m = netip.AddrPortFrom(m.Addr().Unmap(), m.Port())
		if m.Addr().Is4() {
			s.peers[m], s.hosts[m.Addr()] = true, true
		}
	}
	if len(s.peers) == 0 {
		return nil, field.Errorf("Media", "the media port has no IPv4 address to relay to; give it one")
	}
	settings := pion.ServerConfig{
		Realm: realm, AuthHandler: s.key, QuotaHandler: s.within, LoggerFactory: cfg.Pion,
		EventHandler: pion.EventHandler{OnAuth: s.authenticated, OnAllocationCreated: s.created, OnAllocationDeleted: s.deleted},
	}
	for _, conn := range cfg.UDP {
		settings.PacketConnConfigs = append(settings.PacketConnConfigs, pion.PacketConnConfig{
			PacketConn: &packets{conn, s}, RelayAddressGenerator: s, PermissionHandler: s.permits,
		})
	}
	for _, listener := range cfg.TCP {
		settings.ListenerConfigs = append(settings.ListenerConfigs, pion.ListenerConfig{
			Listener: &streams{listener, s}, RelayAddressGenerator: s, PermissionHandler: s.permits,
		})
	}
	var err error
	if s.inner, err = pion.NewServer(settings); err != nil {
		return nil, fmt.Errorf("relay media: %w", err)
	}
	return s, nil
}

// Close ends all allocations and frees the ports.
func (s *Server) Close() error {
	s.ending.Store(true) // what comes now is dropped
	if err := s.inner.Close(); err != nil {
		return fmt.Errorf("end relaying: %w", err)
	}
	return nil
}

// Stats counts.
type Stats struct {
	Allocations int               // now
	Dropped     map[string]uint64 // packets and requests, by reason
}

// Stats says how the server is doing.
func (s *Server) Stats() Stats {
	dropped := map[string]uint64{}
	for r := range reasons {
		if n := s.drops[r].Load(); n > 0 {
			dropped[r.String()] = n
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{len(s.relays), dropped}
}

// Forget ends what a user has allocated.
func (s *Server) Forget(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.held {
		if r.user == user {
			r.hurry()
		}
	}
}

// permits is asked for each peer that a client wants to hear from. It knows no port: that is the relay's business.
func (s *Server) permits(_ net.Addr, peer net.IP) bool {
	ip, ok := netip.AddrFromSlice(peer)
	if ok && s.hosts[ip.Unmap()] {
		return true
	}
	s.drops[forbiddenPeer].Add(1)
	return false
}

// within says whether a user may have one more.
func (s *Server) within(username, _ string, _ net.Addr) bool {
	user, _, _ := parse(username)
	s.mu.Lock()
	defer s.mu.Unlock()
	has := 0
	for _, r := range s.held {
		if r.user == user {
			has++
		}
	}
	if has < s.cfg.OfUser {
		return true
	}
	s.drops[overQuota].Add(1)
	return false
}

// client is an allocation's five-tuple but for the relayed side.
type client struct{ network, from, to string }

func clientOf(from, to net.Addr) client {
	return client{from.Network(), from.String(), to.String()}
}

// created ties a relay to the client that it was opened for.
func (s *Server) created(from, to net.Addr, _, username, _ string, relayed net.Addr, _ int) {
	udp, ok := relayed.(*net.UDPAddr)
	if !ok {
		return
	}
	user, _, _ := parse(username)
	over := s.cfg.Alive != nil && !s.cfg.Alive(user) // since its request was found good
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.relays[udp.AddrPort().Port()]
	if r == nil { // it was closed already
		return
	}
	r.user, r.client = user, clientOf(from, to)
	r.until = s.cfg.Now().Add(leastLifetime)
	s.held[r.client] = r
	if over {
		r.hurry()
	}
}

// authenticated notes how long a refreshed allocation lives.
func (s *Server) authenticated(from, to net.Addr, _, _, _, method string, ok bool) {
	if !ok {
		s.drops[badCredentials].Add(1)
		return
	}
	if method != "Refresh" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.held[clientOf(from, to)]; r != nil {
		r.until = s.cfg.Now().Add(r.asked)
	}
}

func (s *Server) deleted(from, to net.Addr, _, _, _ string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.held, clientOf(from, to))
}
