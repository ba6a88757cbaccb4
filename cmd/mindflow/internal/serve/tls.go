package serve

import (
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/server/cert"
	"mindflow/server/operate"
)

// httpsSetup is HTTPS as the settings choose it. A server is made with config, then begin is called, and close in the
// end.
type httpsSetup struct {
	config *tls.Config // nil for plain HTTP
	set    settings.TLS
	listen string // address of HTTPS in the settings
	log    *slog.Logger
	acme   *cert.ACME
	plain  *operate.Listener
}

// openTLS reads, makes or prepares the certificate.
func openTLS(t settings.TLS, listen string, log *slog.Logger) (*httpsSetup, error) {
	s := &httpsSetup{set: t, listen: listen, log: log}
	if !t.On() {
		return s, nil
	}
	if t.CertFile != "" {
		files, err := cert.FromFiles(t.CertFile, t.KeyFile, log)
		if err != nil {
			return nil, err
		}
		s.config = files.TLS()
		return s, nil
	}
	folder := t.Folder
	if folder == "" {
		var err error
		if folder, err = cert.Folder(); err != nil {
			return nil, err
		}
	}
	if t.SelfSigned {
		made, err := cert.SelfSigned(folder, ownNames(), ownAddresses(listen), time.Now())
		if err != nil {
			return nil, err
		}
		s.config = cert.FixedTLS(made)
		return s, nil
	}
	var err error
	s.acme, err = cert.NewACME(cert.Order{
		Domains: t.Domains, Email: t.ACMEEmail, Directory: t.ACMEURL, Root: t.ACMERoot, Folder: folder,
	}, log)
	if err != nil {
		return nil, err
	}
	s.config = s.acme.TLS()
	return s, nil
}

// begin opens the port of plain HTTP, orders the certificate if there is one to order, and prints the addresses of a
// server with a self-signed one.
func (s *httpsSetup) begin(https net.Addr, out io.Writer) error {
	tcp, ok := https.(*net.TCPAddr)
	if s.config == nil || !ok {
		return nil
	}
	httpPort := 0
	if s.set.Redirect != "" {
		var wrap func(http.Handler) http.Handler
		if s.acme != nil {
			wrap = s.acme.Challenge
		}
		var err error
		if s.plain, err = operate.ListenRedirect(s.set.Redirect, tcp.Port, wrap, s.log); err != nil {
			return err
		}
		if plain, ok := s.plain.Addr().(*net.TCPAddr); ok {
			httpPort = plain.Port
		}
		s.log.Info("sending on to HTTPS", "http", s.plain.Addr().String())
	}
	if s.acme != nil {
		return s.acme.Begin(tcp.Port, httpPort)
	}
	if s.set.SelfSigned {
		return printAddresses(out, ownAddresses(s.listen), tcp.Port)
	}
	return nil
}

func (s *httpsSetup) close() (err error) {
	if s.plain != nil {
		err = s.plain.Close()
	}
	if s.acme != nil {
		err = errors.Join(err, s.acme.Close())
	}
	return err
}

// ownNames returns the names of this machine on its network.
func ownNames() []string {
	names := []string{"localhost"}
	if host, err := os.Hostname(); err == nil && host != "" && host != "localhost" {
		host, _, _ = strings.Cut(host, ".")
		names = append(names, host, host+".local") // multicast DNS (RFC 6762)
	}
	return names
}

// ownAddresses returns the addresses that reach listen, loopback last. IPv6 addresses change every day (RFC 8981), and
// the certificate would with them, so they are left out where there is an IPv4 address.
func ownAddresses(listen string) []net.IP {
	host, _, _ := net.SplitHostPort(listen)
	if ip := net.ParseIP(host); ip != nil && !ip.IsUnspecified() {
		return []net.IP{ip}
	}
	var v4, v6 []net.IP
	addresses, _ := net.InterfaceAddrs() // on an error loopback remains
	for _, a := range addresses {
		n, ok := a.(*net.IPNet)
		switch {
		case !ok || n.IP.IsLoopback() || n.IP.IsLinkLocalUnicast():
		case n.IP.To4() != nil:
			v4 = append(v4, n.IP)
		default:
			v6 = append(v6, n.IP)
		}
	}
	if len(v4) == 0 {
		v4 = v6
	}
	return append(v4, net.IPv4(127, 0, 0, 1), net.IPv6loopback)
}
