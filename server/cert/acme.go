package cert

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/http"
	"os"
	"slices"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3"

	"mindflow/pipeline/field"
)

// Order is what to order from an authority. All but Domains and Folder is optional.
type Order struct {
	Domains   []string // the first is for clients without SNI
	Email     string   // of the host, for the authority
	Directory string   // URL of the authority's ACME directory; default Let's Encrypt
	Root      string   // PEM file of the root of the directory's own certificate; default the system's roots
	Folder    string   // of account, keys and certificates
}

// ACME orders certificates and renews them until Close.
type ACME struct {
	config *certmagic.Config
	issuer *certmagic.ACMEIssuer
	cache  *certmagic.Cache
	order  Order
	stop   context.CancelFunc
}

// NewACME prepares the order. It sends nothing to the authority before Begin. The error is a *field.Error.
func NewACME(order Order, log *slog.Logger) (*ACME, error) {
	var roots *x509.CertPool
	if order.Root != "" {
		pemText, err := os.ReadFile(order.Root)
		if err != nil {
			return nil, field.Errorf("ACMERoot", "root of the ACME directory: %w; correct the name", err)
		}
		roots = x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pemText) {
			return nil, field.Errorf("ACMERoot",
				"root of the ACME directory: %s holds no PEM certificate; name the file that does", order.Root)
		}
	}
	a := &ACME{order: order}
	logs := zapTo(log)
	a.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return a.config, nil },
		Logger:           logs,
	})
	a.config = certmagic.New(a.cache, certmagic.Config{
		Storage:           &certmagic.FileStorage{Path: order.Folder},
		DefaultServerName: order.Domains[0],
		Logger:            logs,
		OnEvent: func(_ context.Context, event string, data map[string]any) error {
			if event == "cert_obtained" {
				log.Info("certificate obtained", "domain", data["identifier"], "renewal", data["renewal"])
			}
			return nil
		},
	})
	a.issuer = certmagic.NewACMEIssuer(a.config, certmagic.ACMEIssuer{
		CA: order.Directory, Email: order.Email, Agreed: true, TrustedRoots: roots,
		Logger: logs,
	})
	a.config.Issuers = []certmagic.Issuer{a.issuer}
	return a, nil
}

// Begin loads the certificates that exist and orders the others in the background, with retries; progress is logged.
// HTTPS is served at tlsPort by now, to which port 443 must lead, where the authority connects. Challenge is served at
// httpPort, to which port 80 must lead; zero means that it is not served.
func (a *ACME) Begin(tlsPort, httpPort int) error {
	a.issuer.AltTLSALPNPort, a.issuer.AltHTTPPort, a.issuer.DisableHTTPChallenge = tlsPort, httpPort, httpPort == 0
	ctx, stop := context.WithCancel(context.Background())
	a.stop = stop
	if err := a.config.ManageAsync(ctx, slices.Clone(a.order.Domains)); err != nil {
		return field.Errorf("CertFolder", "certificate for %v: %w; see that %s can be written to", a.order.Domains, err,
			a.order.Folder)
	}
	return nil
}

// TLS returns a server configuration. Handshakes fail before the first certificate, except the authority's own.
func (a *ACME) TLS() *tls.Config {
	config := serverTLS(a.config.GetCertificate)
	config.NextProtos = append(config.NextProtos, acmez.ACMETLS1Protocol) // RFC 8737
	return config
}

// Challenge answers the authority's HTTP challenges (RFC 8555, section 8.3), and passes other requests to next.
func (a *ACME) Challenge(next http.Handler) http.Handler { return a.issuer.HTTPChallengeHandler(next) }

// Close stops the background work.
func (a *ACME) Close() error {
	if a.stop != nil {
		a.stop()
	}
	a.cache.Stop()
	return nil
}
