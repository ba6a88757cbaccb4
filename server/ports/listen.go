package ports

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"

	"mindflow/pipeline/field"
)

// socketBuffer is requested for the one port of all sessions; the kernel grants what its limits allow.
const socketBuffer = 4 << 20

// ListenUDP opens a UDP port. For an address without a host it opens one socket on each interface's address: ICE must
// know which address a packet came in on. Errors are *field.Error of setting.
func ListenUDP(address, setting string) (conns []*net.UDPConn, err error) {
	addr, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return nil, ListenError("UDP", address, setting, err)
	}
	ips := []net.IP{addr.IP}
	if addr.IP == nil || addr.IP.IsUnspecified() {
		if ips, err = interfaceAddresses(); err != nil {
			return nil, err
		}
	}
	defer func() {
		if err != nil {
			for _, conn := range conns {
				_ = conn.Close()
			}
		}
	}()
	port := addr.Port // for 0, the port that the first address gets
	for _, ip := range ips {
		conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: ip, Port: port})
		if errors.Is(err, syscall.EADDRNOTAVAIL) && len(ips) > 1 {
			continue // the interface is gone, or its address is not ready yet
		}
		if err != nil {
			return conns, ListenError("UDP", net.JoinHostPort(ip.String(), strconv.Itoa(port)), setting, err)
		}
		_ = conn.SetReadBuffer(socketBuffer) // more than the kernel's limit is no error worth failing for
		_ = conn.SetWriteBuffer(socketBuffer)
		conns = append(conns, conn)
		port = conn.LocalAddr().(*net.UDPAddr).Port
	}
	if len(conns) == 0 {
		return nil, field.Errorf(setting, "listen for media: this machine has no network address")
	}
	return conns, nil
}

// interfaceAddresses returns the addresses of all interfaces that are up, loopback included: a page may run on this
// machine. IPv6 link-local addresses are left out, since they mean nothing without a zone.
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

// ListenTCP opens a TCP port whose connections are bounded: see LimitListener. Errors are *field.Error of setting.
func ListenTCP(address, setting string, total, perSource int) (*LimitedListener, error) {
	addr, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, ListenError("TCP", address, setting, err)
	}
	l, err := net.ListenTCP("tcp", addr)
	if err != nil {
		return nil, ListenError("TCP", address, setting, err)
	}
	return LimitListener(l, total, perSource), nil
}

// ListenError returns a *field.Error that says what to do about an error of opening a port.
func ListenError(network, address, setting string, err error) error {
	_, port, malformed := net.SplitHostPort(address)
	switch {
	case malformed != nil:
		return field.Errorf(setting, "%s address %q: %w: give it as host:port, such as :8189",
			network, address, malformed)
	case errors.Is(err, syscall.EADDRINUSE):
		return field.Errorf(setting, "%s port %s is in use: stop the other program or use another port: %w",
			network, port, err)
	case errors.Is(err, syscall.EACCES):
		return field.Errorf(setting, "%s port %s is not permitted: use one above 1023: %w", network, port, err)
	}
	return field.Errorf(setting, "%s port %s: %w: use another address", network, port, err)
}
