package main

import (
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"mindflow/server/cert"
	"mindflow/server/operate"
)

// tlsFlags are the settings of HTTPS. There are three ways to a certificate, of which one may be chosen.
type tlsFlags struct {
	cert, key  string // files
	domains    list   // of an authority
	selfSigned bool

	acmeURL, acmeRoot, acmeEmail string
	folder                       string
	redirect                     string // address of plain HTTP; "" is none
}

func newTLSFlags(fs *flag.FlagSet) *tlsFlags {
	t := &tlsFlags{}
	fs.StringVar(&t.cert, "tls-cert", "", "PEM `file` of a certificate with its chain, to serve HTTPS with; it is read again when it changes")
	fs.StringVar(&t.key, "tls-key", "", "PEM `file` of the key of --tls-cert")
	fs.Var(&t.domains, "tls-domain", "`domain` to order a certificate for, by ACME, and serve HTTPS with; several: repeat or use commas. Its ports 443 and 80 must lead here. Using it accepts the authority's terms")
	fs.BoolVar(&t.selfSigned, "tls-self-signed", false, "serve HTTPS on this network with a certificate made here, which browsers ask about once; prints the address, as a QR code on a terminal")
	fs.StringVar(&t.acmeURL, "acme-url", "", "ACME directory `URL` of another authority than Let's Encrypt, or of its test authority")
	fs.StringVar(&t.acmeRoot, "acme-root", "", "PEM `file` with the root of --acme-url's own certificate, where the system does not know it")
	fs.StringVar(&t.acmeEmail, "acme-email", "", "`address` that the authority may write to")
	fs.StringVar(&t.folder, "tls-folder", "", "`folder` that certificates made or ordered are kept in; where not named, mindflow in the user's state folder")
	fs.StringVar(&t.redirect, "http-redirect", "", "another HTTP `address`, such as :80, that sends visitors on to HTTPS")
	return t
}

// fromTLS sets the addresses that have no source yet to those that HTTPS of the chosen kind is served on.
func fromTLS(fs *flag.FlagSet, from sources) error {
	chosen := func(name string) bool {
		f := fs.Lookup(name)
		return f != nil && f.Value.String() != "" && f.Value.String() != "false"
	}
	implied := map[string]string{}
	by := ""
	switch {
	case chosen("tls-cert"):
		by, implied["listen"] = "--tls-cert", ":443"
	case chosen("tls-domain"):
		by, implied["listen"] = "--tls-domain", ":443"
	case chosen("tls-self-signed"):
		by, implied["listen"] = "--tls-self-signed", ":8443"
	}
	if implied["listen"] == ":443" && from["listen"] == "" {
		implied["http-redirect"] = ":80"
	}
	for name, value := range implied {
		if from[name] != "" {
			continue
		}
		if err := fs.Set(name, value); err != nil {
			return fmt.Errorf("%s: --%s: %w", by, name, err)
		}
		from[name] = by
	}
	return nil
}

// domainName is what an authority can look up and give a certificate for (RFC 1123, section 2.1; no wildcards, which need the
// name server's help).
var domainName = regexp.MustCompile(`^([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$`)

func (t *tlsFlags) on() bool { return t.cert != "" || len(t.domains) > 0 || t.selfSigned }

func (t *tlsFlags) check() error {
	ways := 0
	for _, chosen := range []bool{t.cert != "" || t.key != "", len(t.domains) > 0, t.selfSigned} {
		if chosen {
			ways++
		}
	}
	switch {
	case ways > 1:
		return errors.New("--tls-cert, --tls-domain and --tls-self-signed exclude each other: use one")
	case t.cert == "" && t.key != "":
		return errors.New("--tls-key without --tls-cert: name the certificate's file too")
	case t.cert != "" && t.key == "":
		return errors.New("--tls-cert without --tls-key: name the key's file too")
	case t.redirect != "" && !t.on():
		return errors.New("--http-redirect without HTTPS: use --tls-cert, --tls-domain or --tls-self-signed, or leave it out")
	}
	for _, domain := range t.domains {
		if !domainName.MatchString(domain) {
			return fmt.Errorf("--tls-domain %s: use the name alone, such as demo.example.org", domain)
		}
	}
	for name, value := range map[string]string{"acme-url": t.acmeURL, "acme-root": t.acmeRoot, "acme-email": t.acmeEmail} {
		if value != "" && len(t.domains) == 0 {
			return fmt.Errorf("--%s without --tls-domain: name the domain to order a certificate for", name)
		}
	}
	if u, err := url.Parse(t.acmeURL); t.acmeURL != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
		return fmt.Errorf("--acme-url %s: use the https address of an ACME directory", t.acmeURL)
	}
	return nil
}

// secure is HTTPS as chosen. The server is made with config; then begin and at the end close.
type secure struct {
	config *tls.Config // nil is plain HTTP
	flags  *tlsFlags
	listen string // address of HTTPS, as set
	log    *slog.Logger
	acme   *cert.ACME
	plain  *operate.Listener
}

// open reads, makes or prepares the certificate.
func (t *tlsFlags) open(listen string, log *slog.Logger) (*secure, error) {
	s := &secure{flags: t, listen: listen, log: log}
	if !t.on() {
		return s, nil
	}
	if t.cert != "" {
		files, err := cert.FromFiles(t.cert, t.key, log)
		if err != nil {
			return nil, err
		}
		s.config = files.TLS()
		return s, nil
	}
	folder := t.folder
	if folder == "" {
		var err error
		if folder, err = cert.Folder(); err != nil {
			return nil, err
		}
	}
	if t.selfSigned {
		made, err := cert.SelfSigned(folder, ownNames(), ownAddresses(listen), time.Now())
		if err != nil {
			return nil, err
		}
		s.config = cert.FixedTLS(made)
		return s, nil
	}
	var err error
	s.acme, err = cert.NewACME(cert.Order{Domains: t.domains, Email: t.acmeEmail, Directory: t.acmeURL, Root: t.acmeRoot, Folder: folder}, log)
	if err != nil {
		return nil, err
	}
	s.config = s.acme.TLS()
	return s, nil
}

// begin opens the port of plain HTTP, orders what is to be ordered, and tells out where the server is on this network.
func (s *secure) begin(https net.Addr, out io.Writer) error {
	tcp, ok := https.(*net.TCPAddr)
	if s.config == nil || !ok {
		return nil
	}
	httpPort := 0
	if s.flags.redirect != "" {
		var wrap func(http.Handler) http.Handler
		if s.acme != nil {
			wrap = s.acme.Challenge
		}
		var err error
		if s.plain, err = operate.ListenRedirect(s.flags.redirect, tcp.Port, wrap, s.log); err != nil {
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
	if s.flags.selfSigned {
		return announce(out, ownAddresses(s.listen), tcp.Port)
	}
	return nil
}

func (s *secure) close() (err error) {
	if s.plain != nil {
		err = s.plain.Close()
	}
	if s.acme != nil {
		err = errors.Join(err, s.acme.Close())
	}
	return err
}

// ownNames are those that this machine is reached by on its network.
func ownNames() []string {
	names := []string{"localhost"}
	if host, err := os.Hostname(); err == nil && host != "" && host != "localhost" {
		host, _, _ = strings.Cut(host, ".")
		names = append(names, host, host+".local") // multicast DNS (RFC 6762)
	}
	return names
}

// ownAddresses are those that listen is reached at, loopback last. IPv6 addresses change every day (RFC 8981), and the
// certificate with them, so they are left out where there is one of IPv4.
func ownAddresses(listen string) []net.IP {
	host, _, _ := net.SplitHostPort(listen)
	if ip := net.ParseIP(host); ip != nil && !ip.IsUnspecified() {
		return []net.IP{ip}
	}
	var v4, v6 []net.IP
	addresses, _ := net.InterfaceAddrs() // without them there is loopback
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
