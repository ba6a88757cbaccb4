package ports

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/pion/ice/v2"

	"mindflow/server/ports/portfilter"
)

const (
	// A publisher connects to each address that the answer names, from each of its own.
	tcpPerSource    = 64 // connections; a source may be a whole office
	tcpPerSession   = 8
	tcpFirstTimeout = 10 * time.Second // for the first check of a connection, which names its session
	tcpReadQueue    = 64               // packets between a connection and its session; then the sender waits
	tcpWriteQueue   = 128 << 10        // bytes for a publisher that does not read; more are dropped
)

// MediaConfig configures Media. Addresses are host:port.
type MediaConfig struct {
	UDP       string
	TCP       string              // optional
	Sessions  int                 // that the TCP connections are bounded for
	PublicIPs func() []netip.Addr // that a router or cloud maps to this host; optional, called for each answer
	Log       *slog.Logger
}

// Media are the media ports of all sessions: one of UDP and, for publishers that UDP does not reach, one of TCP (RFC
// 6544). What arrives passes Filter before Pion reads it.
type Media struct {
	Filter *portfilter.Filter

	udp       *ice.MultiUDPMuxDefault
	tcp       *ice.TCPMuxDefault // nil without TCP
	listener  *LimitedListener   // of tcp
	publicIPs func() []netip.Addr
	addrs     []netip.AddrPort // of udp
}

// OpenMedia opens the ports. Errors are *field.Error of Media or MediaTCP.
func OpenMedia(cfg MediaConfig) (*Media, error) {
	m := &Media{Filter: portfilter.New(time.Now), publicIPs: cfg.PublicIPs}
	conns, err := ListenUDP(cfg.UDP, "Media")
	if err != nil {
		return nil, err
	}
	log := PionLogs{cfg.Log}.NewLogger("ice")
	muxes := make([]ice.UDPMux, len(conns))
	for i, conn := range conns {
		muxes[i] = ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: m.Filter.PacketConn(conn), Logger: log})
		addr := conn.LocalAddr().(*net.UDPAddr).AddrPort()
		m.addrs = append(m.addrs, netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port()))
	}
	m.udp = ice.NewMultiUDPMuxDefault(muxes...)
	if cfg.TCP == "" {
		return m, nil
	}
	m.listener, err = ListenTCP(cfg.TCP, "MediaTCP", tcpPerSession*cfg.Sessions+tcpPerSource, tcpPerSource)
	if err != nil {
		return nil, errors.Join(err, m.Close())
	}
	m.tcp = ice.NewTCPMuxDefault(ice.TCPMuxParams{
		Listener:                     m.Filter.Listener(m.listener),
		Logger:                       log,
		ReadBufferSize:               tcpReadQueue,
		WriteBufferSize:              tcpWriteQueue,
		FirstStunBindTimeout:         tcpFirstTimeout,
		AliveDurationForConnFromStun: tcpFirstTimeout,
	})
	return m, nil
}

// Close frees the ports.
func (m *Media) Close() error {
	var err error
	if m.tcp != nil {
		err = m.tcp.Close()
	}
	return errors.Join(err, m.udp.Close())
}

// UDPMux returns the UDP port as Pion uses it.
func (m *Media) UDPMux() ice.UDPMux { return m.udp }

// TCPMux returns the TCP port as Pion uses it, or nil.
func (m *Media) TCPMux() ice.TCPMux {
	if m.tcp == nil {
		return nil
	}
	return m.tcp
}

// Addrs returns the addresses of the UDP port: one, or one of each interface. The port is the same.
func (m *Media) Addrs() []netip.AddrPort { return m.addrs }

// TCPAddr returns the address of the TCP port, or nil.
func (m *Media) TCPAddr() *net.TCPAddr {
	if m.tcp == nil {
		return nil
	}
	return m.listener.Addr().(*net.TCPAddr)
}

// OffersTCP reports whether a host candidate of TCP with this address is offered.
func (m *Media) OffersTCP(ip net.IP) bool {
	bound := m.TCPAddr().IP
	return bound == nil || bound.IsUnspecified() || bound.Equal(ip)
}

// RefusedConnections returns the number of TCP connections beyond the bounds.
func (m *Media) RefusedConnections() uint64 {
	if m.tcp == nil {
		return 0
	}
	return m.listener.Refused()
}

// MediaAddresses returns the IP addresses that OpenMedia would offer for a UDP address. It opens the port for a moment,
// so that its error is OpenMedia's.
func MediaAddresses(address string) ([]netip.Addr, error) {
	conns, err := ListenUDP(address, "Media")
	if err != nil {
		return nil, err
	}
	var ips []netip.Addr
	for _, conn := range conns {
		ips = append(ips, conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap())
		err = errors.Join(err, conn.Close())
	}
	return ips, err
}
