package cert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"mindflow/pipeline/field"
)

const (
	selfSignedLife = 397 * 24 * time.Hour // some browsers refuse longer ones
	selfSignedLeft = 30 * 24 * time.Hour  // with less left, a new one is made
)

// SelfSigned returns a self-signed certificate for names and addresses; browsers ask once whether to trust it. It is
// kept in folder, and replaced when it expires soon or does not cover an address. The error is a *field.Error.
func SelfSigned(folder string, names []string, ips []net.IP, now time.Time) (*tls.Certificate, error) {
	certFile, keyFile := filepath.Join(folder, "self-signed.crt"), filepath.Join(folder, "self-signed.key")
	if kept, err := Load(certFile, keyFile); err == nil && covers(kept.Leaf, names, ips) &&
		kept.Leaf.NotAfter.Sub(now) > selfSignedLeft {
		return kept, nil
	}
	certPEM, keyPEM, err := selfSign(names, ips, now)
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, field.Errorf("CertFolder", "keep the certificate: %w; name another folder", err)
	}
	for name, data := range map[string][]byte{certFile: certPEM, keyFile: keyPEM} {
		if err := replace(name, data); err != nil {
			return nil, field.Errorf("CertFolder", "keep the certificate: %w; name another folder", err)
		}
	}
	return Load(certFile, keyFile)
}

// FixedTLS returns a server configuration with a certificate that does not change.
func FixedTLS(c *tls.Certificate) *tls.Config {
	return serverTLS(func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c, nil })
}

func covers(leaf *x509.Certificate, names []string, ips []net.IP) bool {
	for _, name := range names {
		if leaf.VerifyHostname(name) != nil {
			return false
		}
	}
	for _, ip := range ips {
		if leaf.VerifyHostname(ip.String()) != nil {
			return false
		}
	}
	return true
}

func selfSign(names []string, ips []net.IP, now time.Time) (certPEM, keyPEM []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "Mindflow on this network"},
		NotBefore:    now.Add(-time.Hour), // a phone's clock may be behind
		NotAfter:     now.Add(selfSignedLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     names, IPAddresses: ips,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	certPEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return certPEM, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), nil
}

// replace writes a file atomically; only this user can read it.
func replace(name string, data []byte) error {
	part, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = part.Write(data)
	if closed := part.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(part.Name(), name)
	}
	if err != nil {
		_ = os.Remove(part.Name())
	}
	return err
}
