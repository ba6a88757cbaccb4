package settings

import (
	"errors"
	"flag"
	"fmt"
	"net/url"
	"regexp"
)

// TLS holds the settings of HTTPS. There are three ways to a certificate, of which one may be chosen.
type TLS struct {
	CertFile, KeyFile string
	Domains           List // that an authority gives a certificate for
	SelfSigned        bool

	ACMEURL, ACMERoot, ACMEEmail string
	Folder                       string
	Redirect                     string // address of plain HTTP; optional
}

func (t *TLS) declare(fs *flag.FlagSet) {
	fs.StringVar(&t.CertFile, "tls-cert", "", "PEM `file` of a certificate with its chain, to serve HTTPS with; it is "+
		"read again when it changes")
	fs.StringVar(&t.KeyFile, "tls-key", "", "PEM `file` of the key of --tls-cert")
	fs.Var(&t.Domains, "tls-domain", "`domain` to order a certificate for, by ACME, and serve HTTPS with; several: "+
		"repeat or use commas. Its ports 443 and 80 must lead here. Using it accepts the authority's terms")
	fs.BoolVar(&t.SelfSigned, "tls-self-signed", false, "serve HTTPS on this network with a certificate made here, "+
		"which browsers ask about once; prints the address, as a QR code on a terminal")
	fs.StringVar(&t.ACMEURL, "acme-url", "", "ACME directory `URL` of another authority than Let's Encrypt, or of its "+
		"test authority")
	fs.StringVar(&t.ACMERoot, "acme-root", "", "PEM `file` with the root of --acme-url's own certificate, where the "+
		"system does not know it")
	fs.StringVar(&t.ACMEEmail, "acme-email", "", "`address` that the authority may write to")
	fs.StringVar(&t.Folder, "tls-folder", "", "`folder` that certificates made or ordered are kept in; where not "+
		"named, mindflow in the user's state folder")
	fs.StringVar(&t.Redirect, "http-redirect", "", "another HTTP `address`, such as :80, that sends visitors on to "+
		"HTTPS")
}

// domainName matches what an authority can look up and give a certificate for (RFC 1123, section 2.1; no wildcards,
// which need the name server's help).
var domainName = regexp.MustCompile(
	`^([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$`)

// On reports whether HTTPS is served.
func (t *TLS) On() bool { return t.CertFile != "" || len(t.Domains) > 0 || t.SelfSigned }

func (t *TLS) check() error {
	ways := 0
	for _, chosen := range []bool{t.CertFile != "" || t.KeyFile != "", len(t.Domains) > 0, t.SelfSigned} {
		if chosen {
			ways++
		}
	}
	switch {
	case ways > 1:
		return errors.New("--tls-cert, --tls-domain and --tls-self-signed exclude each other: use one")
	case t.CertFile == "" && t.KeyFile != "":
		return errors.New("--tls-key without --tls-cert: name the certificate's file too")
	case t.CertFile != "" && t.KeyFile == "":
		return errors.New("--tls-cert without --tls-key: name the key's file too")
	case t.Redirect != "" && !t.On():
		return errors.New("--http-redirect without HTTPS: use --tls-cert, --tls-domain or --tls-self-signed, or " +
			"leave it out")
	}
	for _, domain := range t.Domains {
		if !domainName.MatchString(domain) {
			return fmt.Errorf("--tls-domain %s: use the name alone, such as demo.example.org", domain)
		}
	}
	for name, value := range map[string]string{"acme-url": t.ACMEURL, "acme-root": t.ACMERoot,
		"acme-email": t.ACMEEmail} {
		if value != "" && len(t.Domains) == 0 {
			return fmt.Errorf("--%s without --tls-domain: name the domain to order a certificate for", name)
		}
	}
	if u, err := url.Parse(t.ACMEURL); t.ACMEURL != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
		return fmt.Errorf("--acme-url %s: use the https address of an ACME directory", t.ACMEURL)
	}
	return nil
}
