package doctor

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"

	"mindflow/server"
)

func httpPort(address string) Result {
	const check = "HTTP port"
	l, err := net.Listen("tcp", address)
	if err == nil {
		err = l.Close()
	}
	if err != nil {
		return portTaken(check, address, "--listen", err)
	}
	return ok(check, address+" is free")
}

func mediaPort(address string) Result {
	const check = "media port"
	if _, err := server.MediaAddresses(address); err != nil {
		return portTaken(check, address, "--media", err)
	}
	return ok(check, "UDP "+address+" is free; firewalls must let it through")
}

func portTaken(check, address, flag string, err error) Result {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return Result{check, Failure, address + " is in use",
			"stop the program that has it (ss -lntup names it; it may be mindflow serve itself), or pass another " + flag}
	case errors.Is(err, syscall.EACCES):
		return Result{check, Failure, address + " is not permitted", "pass a port above 1023 by " + flag}
	}
	return Result{check, Failure, address + ": " + err.Error(), "pass an address of this machine by " + flag + ", as host:port"}
}

// addresses lists what publishers would be told to send to. Any port will do to find that out.
func addresses(media string) Result {
	const check, cure = "addresses", "pass an address of this machine by --media, or connect it to a network"
	host, _, err := net.SplitHostPort(media)
	if err != nil {
		return failed(check, err, "pass --media as host:port")
	}
	offered, err := server.MediaAddresses(net.JoinHostPort(host, "0"))
	if err != nil {
		return failed(check, err, cure)
	}
	var ips []string
	beyond := false
	for _, a := range offered {
		udp, ok := a.(*net.UDPAddr)
		if !ok {
			continue
		}
		ips = append(ips, udp.IP.String())
		beyond = beyond || !udp.IP.IsLoopback()
	}
	detail := strings.Join(ips, ", ")
	if !beyond {
		return Result{check, Warning, fmt.Sprintf("only %s: browsers on other machines cannot send video", detail), cure}
	}
	return ok(check, detail)
}

// browsers says who will be given a camera: only pages of secure origins are, which are HTTPS and
// loopback (W3C Secure Contexts, section 3.1).
func browsers(listen string) Result {
	const check = "browsers"
	addr, err := net.ResolveTCPAddr("tcp", listen)
	if err != nil {
		return failed(check, fmt.Errorf("%s: %w", listen, err), "pass --listen as host:port")
	}
	if addr.IP.IsLoopback() {
		return ok(check, "http://"+listen+" gets a camera on this machine; for others put an HTTPS proxy before it")
	}
	return Result{check, Warning, "HTTP on " + listen + " is no secure origin: browsers on other machines give it no camera",
		"put an HTTPS proxy before it; on this machine open it as http://localhost"}
}
