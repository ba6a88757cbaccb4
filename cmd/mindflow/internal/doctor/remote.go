package doctor

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/server/cert"
	"mindflow/server/ports"
)

// renewBefore is how long before its end a certificate should have been renewed.
const renewBefore = 14 * 24 * time.Hour

// remoteAccess makes the checks for visitors from elsewhere.
func remoteAccess(ctx context.Context, s *settings.Serve, report func(Result)) {
	t, r := s.TLS, s.ICE
	if t.CertFile != "" {
		report(certificateFiles(t.CertFile, t.KeyFile, time.Now()))
	}
	if len(t.Domains) > 0 || t.SelfSigned {
		report(certificateFolder(t.Folder))
	}
	for _, domain := range t.Domains {
		report(domainName(ctx, domain, r.PublicIPs))
	}
	for _, port := range []struct{ check, address, flag string }{
		{"plain HTTP port", t.Redirect, "--http-redirect"},
		{"TCP media port", r.MediaTCP, "--media-tcp"},
		{"TURN port, TCP", r.Turn, "--turn"},
		{"TURN port, TLS", r.TurnTLS, "--turn-tls"},
	} {
		if port.address != "" {
			report(tcpPort(port.check, port.address, port.flag))
		}
	}
	if r.Turn != "" {
		report(turnPort(r.Turn))
	}
	report(publicAddress(ctx, s.ICE, s.Server.Media))
}

func certificateFiles(certFile, keyFile string, now time.Time) Result {
	const check = "certificate"
	pair, err := cert.Load(certFile, keyFile)
	if err != nil {
		return failed(check, err, "correct --tls-cert and --tls-key")
	}
	names := slices.Clone(pair.Leaf.DNSNames)
	for _, ip := range pair.Leaf.IPAddresses {
		names = append(names, ip.String())
	}
	ends := pair.Leaf.NotAfter
	detail := fmt.Sprintf("%s for %s, until %s", certFile, strings.Join(names, ", "), ends.Format(time.DateOnly))
	switch {
	case now.After(ends):
		return Result{check, Failure, detail + ": it has expired", "renew it; serve reads the files again by itself"}
	case now.Before(pair.Leaf.NotBefore):
		return Result{check, Failure, detail + ": it begins in the future", "set this machine's clock, or use the " +
			"certificate that is current"}
	case len(names) == 0:
		return Result{check, Failure, detail + ": it names no host, so browsers refuse it",
			"use one with subject alternative names"}
	case ends.Sub(now) < renewBefore:
		return Result{check, Warning, detail + ": that is soon",
			"see that it is renewed; serve reads the files again by itself"}
	}
	return ok(check, detail)
}

func certificateFolder(folder string) Result {
	const check, cure = "certificate folder", "name one that this user may write to by --tls-folder"
	if folder == "" {
		var err error
		if folder, err = cert.Folder(); err != nil {
			return failed(check, err, cure)
		}
	}
	err := os.MkdirAll(folder, 0o700)
	if err == nil {
		var probe *os.File
		if probe, err = os.CreateTemp(folder, "doctor-*"); err == nil {
			_ = probe.Close()
			err = os.Remove(probe.Name())
		}
	}
	if err != nil {
		return Result{check, Failure, err.Error(), cure}
	}
	return ok(check, folder+" can be written to")
}

// domainName reports whether a certificate authority that looks the name up would find this machine.
func domainName(ctx context.Context, domain string, public []string) Result {
	check := "domain " + domain
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", domain)
	if err != nil {
		return Result{check, Failure, err.Error(), "give it an A or AAAA record with this machine's public address, " +
			"and wait until it is known"}
	}
	own := public
	addresses, _ := net.InterfaceAddrs() // on an error the result is a warning
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok {
			own = append(own, n.IP.String())
		}
	}
	var texts []string
	here := false
	for _, ip := range found {
		texts = append(texts, ip.Unmap().String())
		here = here || slices.Contains(own, ip.Unmap().String())
	}
	detail := "it is " + strings.Join(texts, ", ")
	if !here {
		return Result{check, Warning, detail + ", which is no address of this machine's",
			"see that ports 443 and 80 there lead here"}
	}
	return ok(check, detail)
}

// tcpPort binds a port for a moment.
func tcpPort(check, address, flag string) Result {
	l, err := net.Listen("tcp", address)
	if err == nil {
		err = l.Close()
	}
	if err != nil {
		return portTaken(check, address, flag, err)
	}
	return ok(check, "TCP "+address+" is free; firewalls must let it through")
}

func turnPort(address string) Result {
	const check = "TURN port, UDP"
	if _, err := ports.MediaAddresses(address); err != nil {
		return portTaken(check, address, "--turn", err)
	}
	return ok(check, "UDP "+address+" is free; firewalls must let it through")
}

// publicAddress reports the addresses at which visitors from elsewhere reach the media ports.
func publicAddress(ctx context.Context, s settings.ICE, media string) Result {
	const check = "public address"
	var known []string
	for _, text := range s.PublicIPs {
		if ip, err := netip.ParseAddr(text); err == nil {
			if r := checkPublic(check, ip); r.Status != OK {
				return r
			}
			known = append(known, text)
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		ip, err := ports.QueryPublicIP(ctx, s.STUNServer)
		if err != nil {
			return failed(check, err, "name another server by --stun-server")
		}
		if r := checkPublic(check, ip); r.Status != OK {
			return r
		}
		known = append(known, ip.String()+", as "+s.STUNServer+" says")
	}
	if len(known) > 0 {
		return ok(check, strings.Join(known, "; "))
	}
	host, _, _ := net.SplitHostPort(media)
	offered, err := ports.MediaAddresses(net.JoinHostPort(host, "0"))
	if err != nil {
		return ok(check, "none, and --media has no address either") // the check of addresses reports it
	}
	for _, ip := range offered {
		if checkPublic(check, ip).Status == OK {
			return ok(check, ip.String()+" is this machine's own")
		}
	}
	return ok(check, "none: browsers on this network find the media port, and those elsewhere need --public-ip or "+
		"--turn")
}

// sharedPrefix is what providers share among customers (RFC 6598).
var sharedPrefix = netip.MustParsePrefix("100.64.0.0/10")

// checkPublic reports whether an address is reachable from the Internet.
func checkPublic(check string, ip netip.Addr) Result {
	if ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || !ip.IsGlobalUnicast() ||
		sharedPrefix.Contains(ip) {
		return Result{check, Warning, ip.String() + " is no public address: visitors from elsewhere cannot reach it",
			"pass the address that your provider or cloud shows for this machine by --public-ip; where a provider " +
				"shares one among customers, host elsewhere"}
	}
	return ok(check, ip.String())
}
