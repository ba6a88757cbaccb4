package turn

import (
	"crypto/tls"
	"errors"
	"net"
	"strconv"
	"syscall"

	"mindflow/pipeline/field"
	"mindflow/server/ports"
)

const (
	tcpPerSource = 64 // connections
	portTries    = 16 // for port 0: to find a number that is free for both UDP and TCP
)

// Addresses are where Listen opens ports, as host:port.
type Addresses struct {
	Plain     string      // of UDP and TCP; optional
	TLS       string      // optional
	TLSConfig *tls.Config // required by TLS
}

// Listen opens the ports and relays on them. It sets cfg's sockets. Errors are *field.Error of Turn, TurnTLS or Media.
func Listen(at Addresses, cfg Config) (s *Server, err error) {
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
	var limited []*ports.LimitedListener
	maxConns := cfg.Allocations + tcpPerSource
	plainPort, tlsPort := 0, 0
	if at.Plain != "" {
		conns, l, err := listenPlain(at.Plain, maxConns)
		if err != nil {
			return nil, err
		}
		for _, conn := range conns {
			cfg.UDP = append(cfg.UDP, conn)
		}
		cfg.TCP, limited, plainPort = append(cfg.TCP, l), append(limited, l), portOf(l)
	}
	if at.TLS != "" {
		if at.TLSConfig == nil {
			return nil, field.Errorf("TurnTLS",
				"TURN over TLS needs a certificate: give one as for HTTPS, or leave the address out")
		}
		l, err := ports.ListenTCP(at.TLS, "TurnTLS", maxConns, tcpPerSource)
		if err != nil {
			return nil, err
		}
		config := at.TLSConfig.Clone()
		config.NextProtos = nil // those are HTTP's
		cfg.TCP, limited, tlsPort = append(cfg.TCP, tls.NewListener(l, config)), append(limited, l), portOf(l)
	}
	if s, err = New(cfg); err != nil {
		return nil, err
	}
	s.limited, s.port, s.tlsPort = limited, plainPort, tlsPort
	return s, nil
}

// listenPlain opens one port for both UDP and TCP.
func listenPlain(address string, maxConns int) ([]*net.UDPConn, *ports.LimitedListener, error) {
	for try := 0; ; try++ {
		conns, err := ports.ListenUDP(address, "Turn")
		if err != nil {
			return nil, nil, err
		}
		host, port, _ := net.SplitHostPort(address) // it was resolved
		chosen := strconv.Itoa(conns[0].LocalAddr().(*net.UDPAddr).Port)
		l, err := ports.ListenTCP(net.JoinHostPort(host, chosen), "Turn", maxConns, tcpPerSource)
		if err == nil {
			return conns, l, nil
		}
		for _, conn := range conns {
			_ = conn.Close()
		}
		if port == chosen || try == portTries || !errors.Is(err, syscall.EADDRINUSE) {
			return nil, nil, err
		}
	}
}

func portOf(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

// Port returns the port of UDP and TCP, or zero.
func (s *Server) Port() int { return s.port }

// TLSPort returns the port of TLS, or zero.
func (s *Server) TLSPort() int { return s.tlsPort }

// RefusedConnections returns the number of TCP connections beyond the bounds.
func (s *Server) RefusedConnections() (n uint64) {
	for _, l := range s.limited {
		n += l.Refused()
	}
	return n
}
