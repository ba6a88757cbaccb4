package server

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"time"

	"mindflow/server/ports"
	"mindflow/server/ports/turn"
)

const (
	// A browser allocates once for each of its addresses and each address that it is given.
	relaysPerUser    = 12
	relaysPerSession = 8
	relayTime        = 24 * time.Hour // of an allocation, where sessions are not limited
)

// listenTURN opens the ports of TURN, if any are configured.
func (s *Server) listenTURN() error {
	if s.cfg.Turn == "" && s.cfg.TurnTLS == "" {
		return nil
	}
	longest := relayTime
	if s.cfg.SessionTime > 0 {
		longest = s.cfg.SessionTime + turn.CredentialLifetime // an allocation may precede the session
	}
	server, err := turn.Listen(turn.Addresses{Plain: s.cfg.Turn, TLS: s.cfg.TurnTLS, TLSConfig: s.cfg.TLS}, turn.Config{
		Media: s.media.Addrs(), Allocations: relaysPerSession * s.cfg.MaxSessions, PerUser: relaysPerUser,
		MaxLifetime: longest,
		UserActive:  s.mayRelay, Log: s.log, Pion: ports.PionLogs{Log: s.log},
	})
	if err != nil {
		return err
	}
	s.turn = server
	s.metrics.CounterVecFunc("turn_refused_total",
		"Packets and requests to the TURN ports that were not relayed or granted.", "reason",
		func() map[string]uint64 { return server.Stats().Dropped })
	s.metrics.GaugeVecFunc("turn_allocations", "Relays that are open for publishers.", "transport",
		func() map[string]uint64 { return map[string]uint64{"udp": uint64(server.Stats().Allocations)} })
	return nil
}

// refusedConnections counts TCP connections beyond the bounds, by the port that they came to.
func (s *Server) refusedConnections() map[string]uint64 {
	counts := map[string]uint64{}
	if s.media.TCPMux() != nil {
		counts["media"] = s.media.RefusedConnections()
	}
	if s.turn != nil {
		counts["turn"] = s.turn.RefusedConnections()
	}
	return counts
}

// anonymous is the first letter of a TURN user without a session yet. Those of sessions are hexadecimal.
const anonymous = "o"

// mayRelay reports whether a TURN user may allocate: one of an open session, or one that may still get a session.
func (s *Server) mayRelay(user string) bool {
	_, open := s.relayed.Load(user)
	return open || strings.HasPrefix(user, anonymous)
}

// relayUser returns the TURN user of a session. It is sent in the clear, so it reveals nothing of the session's id,
// which gives control of the session.
func relayUser(sessionID string) string {
	sum := sha256.Sum256([]byte("turn user of " + sessionID))
	return hex.EncodeToString(sum[:8])
}

// iceServers adds the TURN servers and a user's credentials to a response (RFC 9725, section 4.6).
func (s *Server) iceServers(w http.ResponseWriter, r *http.Request, user string) {
	if s.turn == nil {
		return
	}
	host := s.cfg.TurnHost
	if host == "" {
		host = r.Host
		if _, forwarded := s.cfg.Proxies.Forwarded(r); forwarded != "" {
			host = forwarded
		}
		if host = hostOf(host); host == "" {
			return // the request names no host
		}
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	c := s.turn.Credentials(user)
	add := func(scheme string, port int, transport string) {
		if port != 0 {
			link := fmt.Sprintf(`<%s:%s:%d?transport=%s>; rel="ice-server"`, scheme, host, port, transport)
			w.Header().Add("Link", link+fmt.Sprintf(`; username="%s"; credential="%s"; credential-type="password"`,
				c.Username, c.Password))
		}
	}
	add("turn", s.turn.Port(), "udp")
	add("turn", s.turn.Port(), "tcp")
	add("turns", s.turn.TLSPort(), "tcp")
}

var hostName = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9.-]{0,252}[a-zA-Z0-9.])?$`)

// hostOf returns the host of a Host header without its port, or "" when it is neither a name nor an address.
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
