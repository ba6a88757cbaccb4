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

// Order says what to order of an authority.
type Order struct {
	Domains   []string // one or more; the first is shown to clients that name none
	Email     string   // where the authority may write to; none
	Directory string   // URL of the authority's ACME directory; Let's Encrypt's
	Root      string   // PEM file of the authority that signed the directory's own certificate; the system's
	Folder    string   // where account, keys and certificates are kept
}

// ACME orders certificates and renews them in time, until Close.
type ACME struct {
	config *certmagic.Config
	issuer *certmagic.ACMEIssuer
	cache  *certmagic.Cache
	order  Order
	stop   context.CancelFunc
}

// NewACME prepares the order. Nothing is asked of the authority before Begin. The error names the setting and what to
// do.
func NewACME(order Order, log *slog.Logger) (*ACME, error) {
	var roots *x509.CertPool
	if order.Root != "" {
		pemText, err := os.ReadFile(order.Root)
		if err != nil {
			return nil, field.Errorf("ACMERoot", "root of the ACME directory: %w; correct the name", err)
		}
		roots = x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pemText) {
			return nil, field.Errorf("ACMERoot", "root of the ACME directory: %s holds no PEM certificate; name the file that does", order.Root)
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

// Begin loads what there is and orders what is missing, in the background and again where it fails: the log says how
// it goes. tlsPort is where HTTPS is served by then; the authority connects to 443, which must lead there. httpPort is
// where Challenge is served, to which 80 must lead; 0 where it is not.
func (a *ACME) Begin(tlsPort, httpPort int) error {
	a.issuer.AltTLSALPNPort, a.issuer.AltHTTPPort, a.issuer.DisableHTTPChallenge = tlsPort, httpPort, httpPort == 0
	ctx, stop := context.WithCancel(context.Background())
	a.stop = stop
	if err := a.config.ManageAsync(ctx, slices.Clone(a.order.Domains)); err != nil {
		return field.Errorf("CertFolder", "certificate for %v: %w; see that %s can be written to", a.order.Domains, err, a.order.Folder)
	}
	return nil
}

// TLS is a server's configuration. A handshake fails while there is no certificate, but for the authority's own.
func (a *ACME) TLS() *tls.Config {
	config := serverTLS(a.config.GetCertificate)
	config.NextProtos = append(config.NextProtos, acmez.ACMETLS1Protocol) // RFC 8737
	return config
}

// Challenge answers what the authority asks over plain HTTP (RFC 8555, section 8.3), and leaves the rest to next.
func (a *ACME) Challenge(next http.Handler) http.Handler { return a.issuer.HTTPChallengeHandler(next) }

// Close ends what goes on in the background.
func (a *ACME) Close() error {
	if a.stop != nil {
		a.stop()
	}
	a.cache.Stop()
	return nil
}
