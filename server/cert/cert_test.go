package cert

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// pair makes a certificate for localhost with a serial.
func pair(t *testing.T, serial int64, expires time.Time) (certPEM, keyPEM []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "test"}, DNSNames: []string{"localhost"},
		NotBefore: expires.Add(-24 * time.Hour), NotAfter: expires,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER})
}

func write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// book is a log that can be read while it is written.
type book struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *book) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(line)
}

func (b *book) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// presented returns the serial of the certificate that a server presents.
func presented(t *testing.T, address string) int64 {
	t.Helper()
	conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

// A renewal is used without a restart; a broken one is not, and is logged once.
func TestFilesAreReadAgain(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	soon := time.Now().Add(time.Hour)
	firstCert, firstKey := pair(t, 1, soon)
	write(t, certFile, firstCert)
	write(t, keyFile, firstKey)
	log := &book{}
	f, err := FromFiles(certFile, keyFile, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	serial := func() int64 {
		now = now.Add(checkInterval)
		return f.at(now).Leaf.SerialNumber.Int64()
	}
	said := func(text string) int { return strings.Count(log.String(), text) }
	if got := serial(); got != 1 || said("again") > 0 {
		t.Errorf("serial %d, log %q", got, log)
	}

	nextCert, nextKey := pair(t, 22, soon)
	oldCert, oldKey := pair(t, 333, time.Now().Add(-time.Hour))
	steps := []struct {
		name      string
		cert, key []byte
		want      int64
		saysCause string
	}{
		{"only the certificate is there yet", nextCert, firstKey, 1, "private key does not match"},
		{"both are there", nextCert, nextKey, 22, ""},
		{"rubbish", []byte("rubbish"), nextKey, 22, "must be PEM"},
		{"an expired one", oldCert, oldKey, 22, "has expired"},
		{"empty", nil, nil, 22, "must be PEM"},
		{"the first comes back", firstCert, firstKey, 1, ""},
	}
	for _, s := range steps {
		before, causes := said("stays in use"), said(s.saysCause)
		write(t, certFile, s.cert)
		write(t, keyFile, s.key)
		if got := serial(); got != s.want {
			t.Errorf("%s: serial %d, want %d", s.name, got, s.want)
		}
		serial() // a second look says nothing new
		if s.saysCause != "" && (said("stays in use") != before+1 || said(s.saysCause) <= causes) {
			t.Errorf("%s: the log should say once that the old one stays, and why: %s", s.name, log)
		}
	}
	if err := os.Remove(keyFile); err != nil {
		t.Fatal(err)
	}
	if got := serial(); got != 1 || said("no such file") != 1 {
		t.Errorf("without key: serial %d; %s", got, log)
	}
}

func TestFilesServe(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	certPEM, keyPEM := pair(t, 4, time.Now().Add(time.Hour))
	write(t, certFile, certPEM)
	write(t, keyFile, keyPEM)
	f, err := FromFiles(certFile, keyFile, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", f.TLS())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.(*tls.Conn).Handshake()
			c.Close()
		}
	}()
	if got := presented(t, l.Addr().String()); got != 4 {
		t.Errorf("serial %d, want 4", got)
	}
	certPEM, keyPEM = pair(t, 5, time.Now().Add(time.Hour))
	write(t, certFile, certPEM)
	write(t, keyFile, keyPEM)
	for deadline := time.Now().Add(2 * time.Minute); presented(t, l.Addr().String()) != 5; {
		if time.Now().After(deadline) {
			t.Fatal("the renewed certificate is not shown")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestFilesAbsent(t *testing.T) {
	dir := t.TempDir()
	certPEM, keyPEM := pair(t, 1, time.Now().Add(time.Hour))
	_, otherKey := pair(t, 2, time.Now().Add(time.Hour))
	good, key, other := filepath.Join(dir, "c"), filepath.Join(dir, "k"), filepath.Join(dir, "o")
	write(t, good, certPEM)
	write(t, key, keyPEM)
	write(t, other, otherKey)
	for _, c := range []struct{ cert, key, want string }{
		{filepath.Join(dir, "none"), key, "CertFile"},
		{good, filepath.Join(dir, "none"), "KeyFile"},
		{good, other, "the key the certificate's own"},
		{key, key, "must be PEM"},
	} {
		_, err := FromFiles(c.cert, c.key, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s with %s: %v, want %q in it", c.cert, c.key, err, c.want)
		}
	}
}

func TestSelfSigned(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state", "mindflow")
	now := time.Now()
	ips := []net.IP{net.IPv4(192, 0, 2, 7), net.ParseIP("2001:db8::7")}
	first, err := SelfSigned(dir, []string{"localhost", "box.local"}, ips, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"localhost", "box.local", "192.0.2.7", "2001:db8::7"} {
		if err := first.Leaf.VerifyHostname(host); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	if life := first.Leaf.NotAfter.Sub(first.Leaf.NotBefore); life > 398*24*time.Hour {
		t.Errorf("it lives for %s, more than browsers accept", life)
	}
	for _, name := range []string{"self-signed.crt", "self-signed.key"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v; want mode 0600", name, info, err)
		}
	}
	again := func(ips []net.IP, at time.Time) *tls.Certificate {
		c, err := SelfSigned(dir, []string{"localhost", "box.local"}, ips, at)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if c := again(ips, now.Add(24*time.Hour)); !c.Leaf.Equal(first.Leaf) {
		t.Error("a second start made another certificate; phones would ask again")
	}
	moved := again([]net.IP{net.IPv4(192, 0, 2, 8)}, now)
	if moved.Leaf.Equal(first.Leaf) || moved.Leaf.VerifyHostname("192.0.2.8") != nil {
		t.Error("a new address needs a new certificate")
	}
	if c := again([]net.IP{net.IPv4(192, 0, 2, 8)}, moved.Leaf.NotAfter.Add(-24*time.Hour)); c.Leaf.Equal(moved.Leaf) {
		t.Error("one that is about to expire was kept")
	}
	write(t, filepath.Join(dir, "self-signed.key"), []byte("damaged"))
	again(ips, now)
}

func TestFolder(t *testing.T) {
	t.Setenv("STATE_DIRECTORY", "")
	t.Setenv("XDG_STATE_HOME", "")
	t.Setenv("HOME", "/home/x")
	for _, c := range []struct{ name, value, want string }{
		{"HOME", "/home/y", "/home/y/.local/state/mindflow"},
		{"XDG_STATE_HOME", "relative", "/home/y/.local/state/mindflow"},
		{"XDG_STATE_HOME", "/state", "/state/mindflow"},
		{"STATE_DIRECTORY", "/var/lib/mindflow:/var/lib/other", "/var/lib/mindflow"},
	} {
		t.Setenv(c.name, c.value)
		if got, err := Folder(); err != nil || got != c.want {
			t.Errorf("with %s=%s: %s, %v; want %s", c.name, c.value, got, err, c.want)
		}
	}
}
