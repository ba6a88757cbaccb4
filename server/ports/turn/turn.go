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

// Config configures a Server. All but IdleTimeout, UserActive and Now is required.
type Config struct {
	UDP         []net.PacketConn       // sockets, which become the server's
	TCP         []net.Listener         // plain and TLS, which become the server's; their connections should be bounded
	Media       []netip.AddrPort       // the only peers of relays; those of IPv4 count
	Allocations int                    // at a time
	PerUser     int                    // allocations at a time
	MaxLifetime time.Duration          // of an allocation
	IdleTimeout time.Duration          // of an allocation without a packet from the media port; default one minute
	UserActive  func(user string) bool // reports whether a user may still allocate; default always
	Now         func() time.Time       // default time.Now
	Log         *slog.Logger
	Pion        logging.LoggerFactory
}

// Server relays until Close.
type Server struct {
	// static after construction
	cfg      Config
	secret   []byte
	peers    map[netip.AddrPort]bool
	hosts    map[netip.Addr]bool // of peers
	inner    *pion.Server
	requests *requestLimit

	// set by Listen
	limited       []*ports.LimitedListener // of TCP
	port, tlsPort int                      // zero without

	drops  [reasons]atomic.Uint64
	ending atomic.Bool

	mu          sync.Mutex
	relays      map[uint16]*relay    // guarded by mu: open, by port
	allocations map[fiveTuple]*relay // guarded by mu
}

// New starts to serve.
func New(cfg Config) (*Server, error) {
	s := &Server{
		cfg: cfg, secret: make([]byte, 32), requests: newRequestLimit(),
		peers: map[netip.AddrPort]bool{}, hosts: map[netip.Addr]bool{},
		relays: map[uint16]*relay{}, allocations: map[fiveTuple]*relay{},
	}
	if s.cfg.IdleTimeout == 0 {
		s.cfg.IdleTimeout = time.Minute
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
		Realm: realm, AuthHandler: s.key, QuotaHandler: s.underQuota, LoggerFactory: cfg.Pion,
		EventHandler: pion.EventHandler{
			OnAuth: s.onAuth, OnAllocationCreated: s.onCreated, OnAllocationDeleted: s.onDeleted,
		},
	}
	for _, conn := range cfg.UDP {
		settings.PacketConnConfigs = append(settings.PacketConnConfigs, pion.PacketConnConfig{
			PacketConn: &packets{conn, s}, RelayAddressGenerator: s, PermissionHandler: s.permitPeer,
		})
	}
	for _, listener := range cfg.TCP {
		settings.ListenerConfigs = append(settings.ListenerConfigs, pion.ListenerConfig{
			Listener: &streams{listener, s}, RelayAddressGenerator: s, PermissionHandler: s.permitPeer,
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
	s.ending.Store(true) // packets are dropped from now on
	if err := s.inner.Close(); err != nil {
		return fmt.Errorf("end relaying: %w", err)
	}
	return nil
}

// Stats are counts of a Server.
type Stats struct {
	Allocations int               // open now
	Dropped     map[string]uint64 // packets and requests, by reason
}

// Stats returns the current counts.
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

// Forget ends the allocations of a user.
func (s *Server) Forget(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.allocations {
		if r.user == user {
			r.expire()
		}
	}
}

// permitPeer reports whether a client may get a permission for a peer. The relay checks the port.
func (s *Server) permitPeer(_ net.Addr, peer net.IP) bool {
	ip, ok := netip.AddrFromSlice(peer)
	if ok && s.hosts[ip.Unmap()] {
		return true
	}
	s.drops[forbiddenPeer].Add(1)
	return false
}

// underQuota reports whether a user may have one more allocation.
func (s *Server) underQuota(username, _ string, _ net.Addr) bool {
	user, _, _ := parse(username)
	s.mu.Lock()
	defer s.mu.Unlock()
	has := 0
	for _, r := range s.allocations {
		if r.user == user {
			has++
		}
	}
	if has < s.cfg.PerUser {
		return true
	}
	s.drops[overQuota].Add(1)
	return false
}

// fiveTuple identifies an allocation (RFC 8656, section 2.4).
type fiveTuple struct{ network, from, to string }

func fiveTupleOf(from, to net.Addr) fiveTuple {
	return fiveTuple{from.Network(), from.String(), to.String()}
}

// onCreated ties a relay to its allocation.
func (s *Server) onCreated(from, to net.Addr, _, username, _ string, relayed net.Addr, _ int) {
	udp, ok := relayed.(*net.UDPAddr)
	if !ok {
		return
	}
	user, _, _ := parse(username)
	ended := s.cfg.UserActive != nil && !s.cfg.UserActive(user) // since its request was authenticated
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.relays[udp.AddrPort().Port()]
	if r == nil { // it was closed already
		return
	}
	r.user, r.tuple = user, fiveTupleOf(from, to)
	r.expires = s.cfg.Now().Add(defaultLifetime)
	s.allocations[r.tuple] = r
	if ended {
		r.expire()
	}
}

// onAuth notes how long a refreshed allocation lives.
func (s *Server) onAuth(from, to net.Addr, _, _, _, method string, ok bool) {
	if !ok {
		s.drops[badCredentials].Add(1)
		return
	}
	if method != "Refresh" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.allocations[fiveTupleOf(from, to)]; r != nil {
		r.expires = s.cfg.Now().Add(r.requested)
	}
}

func (s *Server) onDeleted(from, to net.Addr, _, _, _ string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.allocations, fiveTupleOf(from, to))
}
