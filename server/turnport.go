package server

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/pion/logging"

	"mindflow/pipeline/field"
	"mindflow/server/ports"
	"mindflow/server/ports/turn"
)

const (
	// A browser allocates once for each of its addresses and each address that it is given.
	turnOfUser  = 12
	turnOfAll   = 8 // times Config.MaxSessions
	turnTCPEach = 64
	portTries   = 16             // for a number that is free for UDP and TCP, where any will do
	turnLife    = 24 * time.Hour // of an allocation, where sessions have no limit
)

// turnPorts are where media is relayed for those that neither UDP nor TCP of the media ports reaches.
type turnPorts struct {
	*turn.Server
	port    int // UDP and TCP; 0 is none
	tlsPort int // 0 is none
	doors   []*ports.LimitedListener
}

// listenTurn opens what Config.Turn and Config.TurnTLS name.
func (s *Server) listenTurn(logs logging.LoggerFactory) (err error) {
	if s.cfg.Turn == "" && s.cfg.TurnTLS == "" {
		return nil
	}
	life := turnLife
	if s.cfg.SessionTime > 0 {
		life = s.cfg.SessionTime + turn.CredentialLife // it may be allocated before the session begins
	}
	cfg := turn.Config{
		Media: s.edge.media(), Allocations: turnOfAll * s.cfg.MaxSessions, OfUser: turnOfUser, Life: life,
		Alive: s.mayRelay, Log: s.log, Pion: logs,
	}
	defer func() {
		if err == nil {
			return
		}
		for _, conn := range cfg.UDP {
			_ = conn.Close()
		}
		for _, listener := range cfg.TCP {
			_ = listener.Close()
		}
	}()
	opened := &turnPorts{}
	if s.cfg.Turn != "" {
		if err = opened.listenPlain(s.cfg.Turn, s.cfg.MaxSessions, &cfg); err != nil {
			return err
		}
	}
	if s.cfg.TurnTLS != "" {
		if s.cfg.TLS == nil {
			return field.Errorf("TurnTLS", "TURN over TLS needs a certificate: give one as for HTTPS, or leave the address out")
		}
		l, err := opened.listenTCP(s.cfg.TurnTLS, "TurnTLS", s.cfg.MaxSessions)
		if err != nil {
			return err
		}
		opened.tlsPort = l.Addr().(*net.TCPAddr).Port
		config := s.cfg.TLS.Clone()
		config.NextProtos = nil // those are HTTP's
		cfg.TCP = append(cfg.TCP, tls.NewListener(l, config))
	}
	if opened.Server, err = turn.New(cfg); err != nil {
		return err
	}
	s.turn = opened
	s.cfg.Metrics.CounterVecFunc("turn_refused_total", "Packets and requests to the TURN ports that were not relayed or granted.", "reason",
		func() map[string]uint64 { return opened.Stats().Dropped })
	s.cfg.Metrics.GaugeVecFunc("turn_allocations", "Relays that are open for publishers.", "transport",
		func() map[string]uint64 { return map[string]uint64{"udp": uint64(opened.Stats().Allocations)} })
	return nil
}

// listenPlain opens one port for both UDP and TCP.
func (p *turnPorts) listenPlain(address string, sessions int, cfg *turn.Config) error {
	addr, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return field.Errorf("Turn", "TURN address %q: %w: give it as host:port, such as :3478", address, err)
	}
	ips, err := addressesOf(addr.IP)
	if err != nil {
		return err
	}
	host, _, _ := net.SplitHostPort(address) // it was resolved
	for try := 0; ; try++ {
		conns, err := listenAll(ips, addr.Port, "Turn")
		if err != nil {
			return err
		}
		p.port = conns[0].LocalAddr().(*net.UDPAddr).Port
		l, err := p.listenTCP(net.JoinHostPort(host, strconv.Itoa(p.port)), "Turn", sessions)
		if err == nil {
			for _, conn := range conns {
				cfg.UDP = append(cfg.UDP, conn)
			}
			cfg.TCP = append(cfg.TCP, l)
			return nil
		}
		for _, conn := range conns {
			_ = conn.Close()
		}
		if addr.Port != 0 || try == portTries || !errors.Is(err, syscall.EADDRINUSE) {
			return err
		}
	}
}

func (p *turnPorts) listenTCP(address, setting string, sessions int) (net.Listener, error) {
	addr, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, field.Errorf(setting, "TURN address %q: %w: give it as host:port", address, err)
	}
	l, err := net.ListenTCP("tcp", addr)
	if err != nil {
		return nil, portError("TCP port", strconv.Itoa(addr.Port), setting, err)
	}
	door := ports.LimitListener(l, turnOfAll*sessions+turnTCPEach, turnTCPEach)
	p.doors = append(p.doors, door)
	return door, nil
}

// refusedConnections counts those beyond the bounds of the ports that take TCP.
func (s *Server) refusedConnections() map[string]uint64 {
	counts := map[string]uint64{}
	if s.tcp != nil {
		counts["media"] = s.tcp.gate.Refused()
	}
	if s.turn != nil {
		for _, door := range s.turn.doors {
			counts["turn"] += door.Refused()
		}
	}
	return counts
}

// media are the addresses that TURN relays to.
func (e edge) media() []netip.AddrPort {
	list := make([]netip.AddrPort, len(e.own))
	for i, ip := range e.own {
		list[i] = netip.AddrPortFrom(ip, e.udp)
	}
	return list
}

// anonymous is the first letter of the name of who asked before there was a session. Sessions have hexadecimal names.
const anonymous = "o"

// mayRelay says whether what a user allocates is for a session that lives, or for one that may be to come.
func (s *Server) mayRelay(user string) bool {
	_, lives := s.relayed.Load(user)
	return lives || strings.HasPrefix(user, anonymous)
}

// relayUser names a session to TURN. The name goes over the line in the clear, so it tells nothing of the session's id, which
// gives control of it.
func relayUser(sessionID string) string {
	sum := sha256.Sum256([]byte("turn user of " + sessionID))
	return hex.EncodeToString(sum[:8])
}

// iceServers adds to an answer where media can be relayed, and with which credentials (RFC 9725, section 4.6).
func (s *Server) iceServers(w http.ResponseWriter, r *http.Request, user string) {
	if s.turn == nil {
		return
	}
	host := s.cfg.TurnHost
	if host == "" {
		if host = hostOf(r.Host); host == "" {
			return // it named no host, and cannot be told of any
		}
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	c := s.turn.Credentials(user)
	add := func(scheme string, port int, transport string) {
		if port != 0 {
			w.Header().Add("Link", fmt.Sprintf(`<%s:%s:%d?transport=%s>; rel="ice-server"; username="%s"; credential="%s"; credential-type="password"`,
				scheme, host, port, transport, c.Username, c.Password))
		}
	}
	add("turn", s.turn.port, "udp")
	add("turn", s.turn.port, "tcp")
	add("turns", s.turn.tlsPort, "tcp")
}

var hostName = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9.-]{0,252}[a-zA-Z0-9.])?$`)

// hostOf is the name or address by which a request found the server, without the port; "" when it is none.
func hostOf(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if ip, err := netip.ParseAddr(host); err == nil && ip.Zone() == "" {
		return ip.String()
	}
	if hostName.MatchString(host) {
		return host
	}
	return ""
}

// options serves OPTIONS /whip: what may be posted and, to those who may post, where to relay it, for clients that gather
// before they post (RFC 9725, section 4.6). A browser's question whether it may ask at all carries no token.
func (s *Server) options(w http.ResponseWriter, r *http.Request) error {
	if r.Header.Get("Access-Control-Request-Method") == "" {
		if v, err := s.admit(r, time.Now()); err == nil {
			sum := sha256.Sum256([]byte(v.network.String()))
			s.iceServers(w, r, anonymous+hex.EncodeToString(sum[:8]))
		}
	}
	return options(w, "Accept-Post", offerType)
}
