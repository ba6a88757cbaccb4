package cert

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"mindflow/pipeline/field"
)

// checkInterval is the least time between two checks of the files.
const checkInterval = time.Second

// Files is a certificate in two PEM files. They are read again when they change, so that a renewal needs no restart.
// When a renewal cannot be used, the previous certificate stays in use and the error is logged.
type Files struct {
	certFile, keyFile string
	log               *slog.Logger

	mu      sync.Mutex
	current *tls.Certificate // guarded by mu
	loaded  [2]stamp         // guarded by mu: of the files of current
	checked time.Time        // guarded by mu
	fault   string           // guarded by mu: the last error that was logged, until the files can be used
}

// stamp identifies a version of a file.
type stamp struct {
	changed time.Time
	size    int64
}

// FromFiles reads a certificate with its chain, and its key. The error names the file and says what to do.
func FromFiles(certFile, keyFile string, log *slog.Logger) (*Files, error) {
	f := &Files{certFile: certFile, keyFile: keyFile, log: log, checked: time.Now()}
	var err error
	if f.loaded, err = f.stamps(); err != nil {
		return nil, err
	}
	if f.current, err = Load(certFile, keyFile); err != nil {
		return nil, err
	}
	if now := time.Now(); now.After(f.current.Leaf.NotAfter) {
		log.Warn("the certificate has expired; browsers will not accept it", "file", certFile, "expired",
			f.current.Leaf.NotAfter)
	}
	return f, nil
}

// Load reads a certificate and its key, and sets Leaf. The error names the file and says what to do.
func Load(certFile, keyFile string) (*tls.Certificate, error) {
	certPEM, err := os.ReadFile(certFile)
	if err != nil {
		return nil, field.Errorf("CertFile", "certificate: %w; correct the name, or let this user read the file", err)
	}
	keyPEM, err := os.ReadFile(keyFile)
	if err != nil {
		return nil, field.Errorf("KeyFile",
			"key of the certificate: %w; correct the name, or let this user read the file", err)
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, fmt.Errorf("certificate %s with key %s: %w; both must be PEM, and the key the certificate's own",
			certFile, keyFile, err)
	}
	if pair.Leaf == nil {
		if pair.Leaf, err = x509.ParseCertificate(pair.Certificate[0]); err != nil {
			return nil, fmt.Errorf("certificate %s: %w", certFile, err)
		}
	}
	return &pair, nil
}

// TLS returns a server configuration with this certificate.
func (f *Files) TLS() *tls.Config {
	return serverTLS(func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return f.at(time.Now()), nil })
}

// at returns the certificate to use. It checks the files when the last check is checkInterval old.
func (f *Files) at(now time.Time) *tls.Certificate {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now.Sub(f.checked) >= checkInterval {
		f.checked = now
		f.check(now)
	}
	return f.current
}

// check reads files that changed. Files that could not be used are read at each check: their permissions may have been
// wrong, or one of the two was not written yet.
func (f *Files) check(now time.Time) {
	stamps, err := f.stamps()
	if err == nil && stamps == f.loaded && f.fault == "" {
		return
	}
	var next *tls.Certificate
	if err == nil {
		next, err = Load(f.certFile, f.keyFile)
	}
	if err == nil && now.After(next.Leaf.NotAfter) && !now.After(f.current.Leaf.NotAfter) {
		err = errors.New("the new one has expired, the one in use has not")
	}
	if err != nil {
		if f.fault != err.Error() {
			f.fault = err.Error()
			f.log.Error("the renewed certificate cannot be used; the one before stays in use", "err", err, "expires",
				f.current.Leaf.NotAfter)
		}
		return
	}
	f.loaded, f.fault, f.current = stamps, "", next
	f.log.Info("certificate read again", "file", f.certFile, "expires", next.Leaf.NotAfter)
}

func (f *Files) stamps() (s [2]stamp, err error) {
	for i, file := range []struct{ setting, name string }{{"CertFile", f.certFile}, {"KeyFile", f.keyFile}} {
		info, err := os.Stat(file.name) // of the target of a link, as certbot makes them
		if err != nil {
			return s, field.Errorf(file.setting, "look at the certificate's files: %w; correct the name", err)
		}
		s[i] = stamp{info.ModTime(), info.Size()}
	}
	return s, nil
}
