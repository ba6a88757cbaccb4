package server

import (
	"net"
	"strconv"
	"time"

	"github.com/pion/ice/v2"
	"github.com/pion/logging"

	"mindflow/pipeline/field"
	"mindflow/server/ports"
	"mindflow/server/ports/portfilter"
)

const (
	// A publisher connects to each address that the answer names, from each of its own.
	tcpEach       = 64 // connections of one address, which may be a whole office's
	tcpOfSession  = 8
	tcpFirstWait  = 10 * time.Second // for the first check of a connection, which names its session
	tcpReadQueue  = 64               // packets between a connection and its session; then the sender waits
	tcpWriteQueue = 128 << 10        // bytes for a publisher that does not read; more are dropped
)

// mediaTCP is one port for the media of those that UDP does not reach (RFC 6544).
type mediaTCP struct {
	*ice.TCPMuxDefault
	gate *ports.LimitedListener
}

// listenMediaTCP opens the port for so many sessions. Pion sees what filter lets through.
func listenMediaTCP(address string, sessions int, filter *portfilter.Filter, logs logging.LoggerFactory) (*mediaTCP, error) {
	addr, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, field.Errorf("MediaTCP", "TCP media address %q: %w: give it as host:port, such as :8189", address, err)
	}
	listener, err := net.ListenTCP("tcp", addr)
	if err != nil {
		return nil, portError("TCP port", strconv.Itoa(addr.Port), "MediaTCP", err)
	}
	bounded := ports.LimitListener(listener, tcpOfSession*sessions+tcpEach, tcpEach)
	return &mediaTCP{ice.NewTCPMuxDefault(ice.TCPMuxParams{
		Listener:                     filter.Listener(bounded),
		Logger:                       logs.NewLogger("ice"),
		ReadBufferSize:               tcpReadQueue,
		WriteBufferSize:              tcpWriteQueue,
		FirstStunBindTimeout:         tcpFirstWait,
		AliveDurationForConnFromStun: tcpFirstWait,
	}), bounded}, nil
}

func (m *mediaTCP) addr() *net.TCPAddr { return m.gate.Addr().(*net.TCPAddr) } // it listens on TCP

// offers says whether publishers are told of an address of this machine's.
func (m *mediaTCP) offers(ip net.IP) bool {
	bound := m.addr().IP
	return bound == nil || bound.IsUnspecified() || bound.Equal(ip)
}
