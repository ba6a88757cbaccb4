package serve

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
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

// TestServeSelfSigned: HTTPS with a self-signed certificate, and plain HTTP that redirects to it.
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
			if made, err := os.ReadFile(filepath.Join(folder, "self-signed.crt")); err == nil &&
				roots.AppendCertsFromPEM(made) {
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

// TestHalfBlocks: the characters on a terminal are the modules of the code, within the border that scanners need.
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
	if want := (code.Size + 2*quietZone + 1) / 2; len(lines) != want {
		t.Fatalf("%d lines, want %d", len(lines), want)
	}
	for row, line := range lines {
		line, onLight := strings.CutPrefix(line, "\x1b[30;107m")
		line, reset := strings.CutSuffix(line, "\x1b[0m")
		cells := []rune(line)
		if !onLight || !reset || len(cells) != code.Size+2*quietZone {
			t.Fatalf("line %d: %q", row, line)
		}
		for x, r := range cells {
			upper, lower := code.Black(x-quietZone, 2*row-quietZone), code.Black(x-quietZone, 2*row+1-quietZone)
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
