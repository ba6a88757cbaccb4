package cert

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/letsencrypt/challtestsrv"
	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"

	"mindflow/pipeline/testkit"
)

const domain = "mindflow.example" // resolved by the authority's own name server, to this machine

// authority runs Pebble, Let's Encrypt's test authority, which validates at these ports.
func authority(t *testing.T, httpPort, tlsPort int) (directory, root string, issued *x509.CertPool, stop func()) {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	t.Setenv("PEBBLE_WFE_NONCEREJECT", "0")
	quiet := log.New(io.Discard, "", 0)
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(testkit.FreePort(t)))
	names, err := challtestsrv.New(challtestsrv.Config{DNSAddrs: []string{address}, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	names.SetDefaultDNSIPv6("")
	names.Run()
	t.Cleanup(names.Shutdown)

	store := db.NewMemoryStore()
	authority := ca.New(quiet, store, "", "ecdsa", 0, 1,
		map[string]ca.Profile{"default": {ValidityPeriod: 3600 * 24 * 90}})
	validator := va.New(quiet, httpPort, tlsPort, true, address, store)
	front := wfe.New(quiet, store, validator, authority, []string{"pebble.letsencrypt.org"}, true, false, 0, 0)
	server := httptest.NewTLSServer(front.Handler())
	t.Cleanup(server.Close)
	root = filepath.Join(t.TempDir(), "directory.pem")
	write(t, root, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	issued = x509.NewCertPool()
	if !issued.AppendCertsFromPEM(authority.GetRootCert(0).PEM()) {
		t.Fatal("the authority has no root")
	}
	return server.URL + wfe.DirectoryPath, root, issued, server.Close
}

// serveTLS serves HTTPS until the test ends.
func serveTLS(t *testing.T, l net.Listener, a *ACME) {
	t.Helper()
	server := &http.Server{
		Handler:   http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }),
		TLSConfig: a.TLS(), ErrorLog: log.New(io.Discard, "", 0),
	}
	go func() { _ = server.ServeTLS(l, "", "") }()
	t.Cleanup(func() { _ = server.Close() })
}

func listen(t *testing.T) (net.Listener, int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l, l.Addr().(*net.TCPAddr).Port
}

// trusted requests over HTTPS, as a browser that trusts the authority does, until it gets a response.
func trusted(t *testing.T, address string, issued *x509.CertPool, log *book) *http.Response {
	t.Helper()
	dial := &tls.Dialer{Config: &tls.Config{RootCAs: issued, ServerName: domain}}
	client := &http.Client{Transport: &http.Transport{DialTLSContext: dial.DialContext}}
	defer client.CloseIdleConnections()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		response, err := client.Get("https://" + address + "/")
		if err == nil {
			response.Body.Close()
			return response
		}
		if time.Now().After(deadline) {
			t.Fatalf("no trusted certificate: %v; the log: %s", err, log)
		}
	}
}

func begun(t *testing.T, order Order, log *book) *ACME {
	t.Helper()
	a, err := NewACME(order, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	return a
}

// A certificate is ordered from a real authority with each kind of challenge, and kept.
func TestACME(t *testing.T) {
	for _, overHTTP := range []bool{false, true} {
		name := "by TLS-ALPN"
		if overHTTP {
			name = "by HTTP"
		}
		t.Run(name, func(t *testing.T) {
			l, tlsPort := listen(t)
			plain, httpPort := listen(t)
			seenPort := tlsPort
			if overHTTP {
				seenPort = testkit.FreePort(t) // nobody is there
			}
			directory, root, issued, stop := authority(t, httpPort, seenPort)
			order := Order{Domains: []string{domain}, Email: "host@mindflow.example", Directory: directory, Root: root,
				Folder: t.TempDir()}
			log := &book{}
			a := begun(t, order, log)
			if overHTTP {
				server := &http.Server{Handler: a.Challenge(http.NotFoundHandler())}
				go func() { _ = server.Serve(plain) }()
				t.Cleanup(func() { _ = server.Close() })
			} else {
				httpPort = 0
			}
			serveTLS(t, l, a)
			if err := a.Begin(tlsPort, httpPort); err != nil {
				t.Fatal(err)
			}
			if r := trusted(t, l.Addr().String(), issued, log); r.StatusCode != http.StatusOK {
				t.Errorf("status %s", r.Status)
			}
			if !strings.Contains(log.String(), "certificate obtained") {
				t.Errorf("the log does not say so: %s", log)
			}

			stop() // the next start does without the authority
			again, tlsPort := listen(t)
			second := begun(t, order, log)
			serveTLS(t, again, second)
			if err := second.Begin(tlsPort, 0); err != nil {
				t.Fatal(err)
			}
			trusted(t, again.Addr().String(), issued, log)
		})
	}
}

// An unreachable authority is logged, and the server goes on.
func TestACMEUnreachable(t *testing.T) {
	log := &book{}
	_, tlsPort := listen(t)
	directory := "https://127.0.0.1:" + strconv.Itoa(testkit.FreePort(t)) + "/dir"
	a := begun(t, Order{Domains: []string{domain}, Directory: directory, Folder: t.TempDir()}, log)
	if err := a.Begin(tlsPort, 0); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(2 * time.Minute)
	for ; !strings.Contains(log.String(), "connection refused"); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the log does not say why there is no certificate: %s", log)
		}
	}
}

func TestACMERoot(t *testing.T) {
	rubbish := filepath.Join(t.TempDir(), "root.pem")
	write(t, rubbish, []byte("rubbish"))
	for _, root := range []string{rubbish, "/nowhere.pem"} {
		_, err := NewACME(Order{Domains: []string{domain}, Root: root}, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), "ACMERoot") {
			t.Errorf("%s: %v, want the flag's name in it", root, err)
		}
	}
}
