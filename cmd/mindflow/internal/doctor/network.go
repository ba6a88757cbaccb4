package doctor

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/server/ports"
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
	if _, err := ports.MediaAddresses(address); err != nil {
		return portTaken(check, address, "--media", err)
	}
	return ok(check, "UDP "+address+" is free; firewalls must let it through")
}

func portTaken(check, address, flag string, err error) Result {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return Result{check, Failure, address + " is in use",
			"stop the program that has it (ss -lntup names it; it may be mindflow serve itself), or pass another " +
				flag}
	case errors.Is(err, syscall.EACCES):
		return Result{check, Failure, address + " is not permitted", "pass a port above 1023 by " + flag}
	}
	return Result{check, Failure, address + ": " + settings.WithFlag(err).Error(),
		"pass an address of this machine by " + flag + ", as host:port"}
}

// addresses lists the addresses that publishers would send to. They do not depend on the port.
func addresses(media string) Result {
	const check, cure = "addresses", "pass an address of this machine by --media, or connect it to a network"
	host, _, err := net.SplitHostPort(media)
	if err != nil {
		return failed(check, err, "pass --media as host:port")
	}
	offered, err := ports.MediaAddresses(net.JoinHostPort(host, "0"))
	if err != nil {
		return failed(check, err, cure)
	}
	var ips []string
	beyond := false
	for _, ip := range offered {
		ips = append(ips, ip.String())
		beyond = beyond || !ip.IsLoopback()
	}
	detail := strings.Join(ips, ", ")
	if !beyond {
		return Result{check, Warning, fmt.Sprintf("only %s: browsers on other machines cannot send video", detail),
			cure}
	}
	return ok(check, detail)
}

// browsers reports on which machines browsers give the page a camera. They give it to secure origins alone, which are
// HTTPS and loopback (W3C Secure Contexts, section 3.1).
func browsers(listen string, https bool) Result {
	const check = "browsers"
	addr, err := net.ResolveTCPAddr("tcp", listen)
	if err != nil {
		return failed(check, fmt.Errorf("%s: %w", listen, err), "pass --listen as host:port")
	}
	if https {
		return ok(check, "HTTPS on "+listen+" gets a camera on all machines")
	}
	if addr.IP.IsLoopback() {
		return ok(check, "http://"+listen+" gets a camera on this machine; for others use --tls-domain, --tls-cert or "+
			"--tls-self-signed, or put an HTTPS proxy before it")
	}
	return Result{check, Warning, "HTTP on " + listen + " is no secure origin: browsers on other machines give it no " +
		"camera",
		"use --tls-domain, --tls-cert or --tls-self-signed, or put an HTTPS proxy before it; on this machine open it " +
			"as http://localhost"}
}

// visitors reports who may use the server, and whether tokens reach it in the clear.
func visitors(listen string, https bool, access settings.Access) Result {
	const check = "visitors"
	keyed := access.RequireAuth()
	addr, err := net.ResolveTCPAddr("tcp", listen)
	switch beyond := err == nil && !addr.IP.IsLoopback(); {
	case err != nil:
		return ok(check, "nobody, as --listen cannot be listened on") // the check of that port reports it
	case !beyond && keyed:
		return ok(check, "who shows a token, on this machine or by a proxy on it")
	case !beyond:
		return ok(check, "everybody on this machine, and whom a proxy on it lets in")
	case !keyed && !access.Open:
		return Result{check, Failure, "everybody who reaches " + listen + " could use the server, and nobody said " +
			"that they may: serve does not start",
			"say who may: --token-file FILE, --jwt-keys FILE, or --open for everybody"}
	case !keyed:
		return Result{check, Warning, "everybody who reaches " + listen + " may use the server (--open)",
			"leave it so for a demo with --max-session-time and --max-per-address; else pass --token-file FILE or " +
				"--jwt-keys FILE in its place"}
	case !https:
		return Result{check, Warning, "tokens come to " + listen + " over plain HTTP: others on the path can read " +
			"and use them",
			"use --tls-domain, --tls-cert or --tls-self-signed, or listen on 127.0.0.1 behind an HTTPS proxy"}
	}
	return ok(check, "who shows a token, over HTTPS")
}

// operators checks the port for operators, if there is one. It asks for no password.
func operators(address string, report func(Result)) {
	if address == "" {
		return
	}
	const check = "operators' port"
	r := tcpPort(check, address, "--admin")
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	if r.Status == OK && err == nil && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		r = Result{check, Warning, "TCP " + address + " is free, and asks nobody for a password",
			"listen on 127.0.0.1, or see that only operators reach it"}
	} else if r.Status == OK {
		r.Detail = "TCP " + address + " is free"
	}
	report(r)
}
