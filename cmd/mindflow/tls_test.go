package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mindflow/cmd/mindflow/internal/clitest"

	"rsc.io/qr"
)

func TestTLSSettings(t *testing.T) {
	cases := []struct {
		name string
		args []string
		want string // in the error; "" is none
	}{
		{"two ways", []string{"--tls-domain", "a.example", "--tls-self-signed"}, "use one"},
		{"no key", []string{"--tls-cert", "c.pem"}, "--tls-key"},
		{"no certificate", []string{"--tls-key", "k.pem"}, "--tls-cert"},
		{"an address is no domain", []string{"--tls-domain", "192.0.2.1"}, "--tls-domain 192.0.2.1"},
		{"a URL is no domain", []string{"--tls-domain", "https://a.example"}, "the name alone"},
		{"one label is no domain", []string{"--tls-domain", "localhost"}, "--tls-domain"},
		{"a wildcard is no domain", []string{"--tls-domain", "*.a.example"}, "--tls-domain"},
		{"redirect to nowhere", []string{"--http-redirect", ":80"}, "--http-redirect without HTTPS"},
		{"authority without domain", []string{"--acme-url", "https://a.example/dir"}, "--acme-url without --tls-domain"},
		{"authority in the clear", []string{"--tls-domain", "a.example", "--acme-url", "http://a.example/dir"}, "--acme-url http://a.example/dir"},
		{"domains", []string{"--tls-domain", "a.example,b-1.example.org", "--acme-email", "me@a.example"}, ""},
	}
	for _, c := range cases {
		err := run(t.Context(), append([]string{"serve", "--print-config", "--open"}, c.args...), io.Discard)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q in it", c.name, err, c.want)
		}
	}
}

// A certificate implies the ports that it is for, and no more than that.
func TestTLSImpliesPorts(t *testing.T) {
	cases := []struct {
		name             string
		args             []string
		listen, redirect string
	}{
		{"none", nil, `listen = "127.0.0.1:8080" # default`, `http-redirect = "" # default`},
		{"files", []string{"--tls-cert", "c", "--tls-key", "k"}, `listen = ":443" # --tls-cert`, `http-redirect = ":80" # --tls-cert`},
		{"authority", []string{"--tls-domain", "a.example"}, `listen = ":443" # --tls-domain`, `http-redirect = ":80" # --tls-domain`},
		{"another port", []string{"--tls-domain", "a.example", "--listen", ":8443"}, `listen = ":8443" # --listen`, `http-redirect = "" # default`},
		{"no redirect", []string{"--tls-domain", "a.example", "--http-redirect="}, `listen = ":443" # --tls-domain`, `http-redirect = "" # --http-redirect`},
		{"self-signed", []string{"--tls-self-signed"}, `listen = ":8443" # --tls-self-signed`, `http-redirect = "" # default`},
	}
	for _, c := range cases {
		lines := printed(t, append([]string{"--open"}, c.args...)...)
		if lines["listen"] != c.listen || lines["http-redirect"] != c.redirect {
			t.Errorf("%s: %s; %s", c.name, lines["listen"], lines["http-redirect"])
		}
	}
}

// HTTPS with a certificate made here, and plain HTTP that leads to it.
func TestServeSelfSigned(t *testing.T) {
	clitest.NoLeaks(t)
	listen, plain, folder := clitest.FreePort(t), clitest.FreePort(t), t.TempDir()
	var said bytes.Buffer
	args := append([]string{"--listen", listen, "--media", "127.0.0.1:0", "--tls-self-signed", "--tls-folder", folder,
		"--http-redirect", plain}, clitest.EngineArgs(t)...)
	done, stop := clitest.Background(t, func(ctx context.Context) error {
		return Serve("test").Execute(ctx, args, nil, &said)
	})
	roots := x509.NewCertPool()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	defer client.CloseIdleConnections()
	trusting := func(address string) string { // once the certificate is there
		for {
			if made, err := os.ReadFile(filepath.Join(folder, "self-signed.crt")); err == nil && roots.AppendCertsFromPEM(made) {
				return clitest.Get(t, client, address, done)
			}
			select {
			case err := <-done:
				t.Fatalf("serve ended: %v", err)
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	if body := trusting("http://" + plain + "/"); !strings.Contains(body, "<mindflow-live") {
		t.Errorf("by way of plain HTTP: %q", body)
	}
	stop()
	if want := "https://" + listen + "/\n"; !strings.HasPrefix(said.String(), want) {
		t.Errorf("it said %q, want %q first", said.String(), want)
	}
}

// The characters as a terminal shows them are the modules of the code, within the border that readers need.
func TestHalfBlocks(t *testing.T) {
	const text = "https://192.168.178.123:8443/"
	drawn, err := halfBlocks(text)
	if err != nil {
		t.Fatal(err)
	}
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(drawn, "\n"), "\n")
	if want := (code.Size + 2*quiet + 1) / 2; len(lines) != want {
		t.Fatalf("%d lines, want %d", len(lines), want)
	}
	for row, line := range lines {
		line, onLight := strings.CutPrefix(line, "\x1b[30;107m")
		line, reset := strings.CutSuffix(line, "\x1b[0m")
		cells := []rune(line)
		if !onLight || !reset || len(cells) != code.Size+2*quiet {
			t.Fatalf("line %d: %q", row, line)
		}
		for x, r := range cells {
			upper, lower := code.Black(x-quiet, 2*row-quiet), code.Black(x-quiet, 2*row+1-quiet)
			if got := [2]bool{r == '█' || r == '▀', r == '█' || r == '▄'}; got != [2]bool{upper, lower} {
				t.Fatalf("line %d, column %d: %q, want dark %v above %v", row, x, r, upper, lower)
			}
		}
	}
}

func TestOwnAddresses(t *testing.T) {
	if got := ownAddresses("192.0.2.9:8443"); len(got) != 1 || !got[0].Equal(net.IPv4(192, 0, 2, 9)) {
		t.Errorf("of one address: %v", got)
	}
	got := ownAddresses(":8443")
	if n := len(got); n < 2 || !got[n-1].IsLoopback() || !got[n-2].IsLoopback() {
		t.Errorf("of all: %v, want loopback last", got)
	}
}
