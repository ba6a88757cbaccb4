package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"syscall"
	"time"

	"github.com/pion/ice/v2"
	"github.com/pion/logging"

	"mindflow/pipeline/field"
	"mindflow/server/ports/portfilter"
)

// socketBuffer is asked for at the one port of all sessions; the kernel gives what its limits allow.
const socketBuffer = 4 << 20

// listenMedia opens the UDP port that all sessions share. For an address that names no interface it
// opens one socket on each interface's address: ICE must know which address a packet came in on. Pion sees what
// ports lets through.
func listenMedia(address string, ports *portfilter.Filter, logs logging.LoggerFactory) (*ice.MultiUDPMuxDefault, error) {
	addr, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return nil, field.Errorf("Media", "media address %q: %w: give it as host:port, such as :8189", address, err)
	}
	ips, err := addressesOf(addr.IP)
	if err != nil {
		return nil, err
	}
	conns, err := listenAll(ips, addr.Port, "Media")
	if err != nil {
		return nil, err
	}
	log := logs.NewLogger("ice")
	muxes := make([]ice.UDPMux, len(conns))
	for i, conn := range conns {
		muxes[i] = ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: ports.PacketConn(conn), Logger: log})
	}
	return ice.NewMultiUDPMuxDefault(muxes...), nil
}

// addressesOf are those that a port is bound on where ip is named, or none.
func addressesOf(ip net.IP) ([]net.IP, error) {
	if ip == nil || ip.IsUnspecified() {
		return interfaceAddresses()
	}
	return []net.IP{ip}, nil
}

// listenAll binds the same port on every address. Port 0 is whichever the first address gets. setting is the field that errors name in
// errors.
func listenAll(ips []net.IP, port int, setting string) (conns []*net.UDPConn, err error) {
	defer func() {
		if err != nil {
			for _, conn := range conns {
				_ = conn.Close()
			}
		}
	}()
	for _, ip := range ips {
		conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: ip, Port: port})
		if errors.Is(err, syscall.EADDRNOTAVAIL) && len(ips) > 1 {
			continue // the interface went away, or its address is not ready yet
		}
		if err != nil {
			return conns, portError("UDP port", strconv.Itoa(port), setting, err)
		}
		_ = conn.SetReadBuffer(socketBuffer) // more than the kernel's limit is no error worth failing for
		_ = conn.SetWriteBuffer(socketBuffer)
		conns = append(conns, conn)
		port = conn.LocalAddr().(*net.UDPAddr).Port
	}
	if len(conns) == 0 {
		return nil, errors.New("listen for media: this machine has no network address")
	}
	return conns, nil
}

// interfaceAddresses gives the addresses of all interfaces that are up, loopback too: a page may run on
// this very machine. IPv6 link-local ones are left out, they mean nothing without a zone.
func interfaceAddresses() ([]net.IP, error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list network interfaces: %w", err)
	}
	var ips []net.IP
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			return nil, fmt.Errorf("list addresses of %s: %w", i.Name, err)
		}
		for _, a := range addrs {
			n, ok := a.(*net.IPNet)
			if ok && !n.IP.IsLinkLocalUnicast() && !n.IP.IsMulticast() {
				ips = append(ips, n.IP)
			}
		}
	}
	return ips, nil
}

// portError says what to do when a port cannot be had.
func portError(what, port, setting string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return field.Errorf(setting, "%s %s is in use: stop the other program or use another port: %w", what, port, err)
	case errors.Is(err, syscall.EACCES):
		return field.Errorf(setting, "%s %s is not permitted: use one above 1023: %w", what, port, err)
	}
	return field.Errorf(setting, "%s %s: %w: use another address", what, port, err)
}

// MediaAddresses gives the addresses that New would offer to publishers for Config.Media. It binds them
// for a moment, so that the error is the one that New would give.
func MediaAddresses(address string) ([]net.Addr, error) {
	mux, err := listenMedia(address, portfilter.New(time.Now), pionLogs{slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	return mux.GetListenAddresses(), mux.Close()
}
