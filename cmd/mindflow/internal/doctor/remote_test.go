package doctor

import (
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/server/cert"
)

func TestCertificateFiles(t *testing.T) {
	folder, now := t.TempDir(), time.Now()
	made, err := cert.SelfSigned(folder, []string{"demo.example.org"}, []net.IP{net.IPv4(192, 0, 2, 7)}, now)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile := filepath.Join(folder, "self-signed.crt"), filepath.Join(folder, "self-signed.key")
	ends := made.Leaf.NotAfter
	for _, c := range []struct {
		at           time.Time
		status, says string
	}{
		{now, OK, "demo.example.org, 192.0.2.7"},
		{ends.Add(-24 * time.Hour), Warning, "soon"},
		{ends.Add(time.Hour), Failure, "expired"},
		{now.Add(-48 * time.Hour), Failure, "future"},
	} {
		if r := certificateFiles(certFile, keyFile, c.at); r.Status != c.status || !strings.Contains(r.Detail,
			c.says) || (r.Cure == "") != (c.status == OK) {
			t.Errorf("at %s: %+v, want %s with %q", c.at, r, c.status, c.says)
		}
	}
	if r := certificateFiles(certFile, "/nowhere", now); r.Status != Failure || !strings.Contains(r.Cure, "--tls-key") {
		t.Errorf("without key: %+v", r)
	}
}

func TestCertificateFolder(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "a", "b")
	if r := certificateFolder(folder); r.Status != OK || !strings.Contains(r.Detail, folder) {
		t.Errorf("%+v", r)
	}
	if r := certificateFolder("/proc/nowhere"); r.Status != Failure || !strings.Contains(r.Cure, "--tls-folder") {
		t.Errorf("%+v", r)
	}
}

func TestDomainName(t *testing.T) {
	if r := domainName(t.Context(), "localhost", nil); r.Status != OK {
		t.Errorf("%+v", r)
	}
	if r := domainName(t.Context(), "mindflow.invalid", nil); r.Status != Failure || !strings.Contains(r.Cure,
		"record") {
		t.Errorf("%+v", r)
	}
	if r := domainName(t.Context(), "192.0.2.250", nil); r.Status != Warning || !strings.Contains(r.Cure, "443") {
		t.Errorf("%+v", r)
	}
	if r := domainName(t.Context(), "192.0.2.250", []string{"192.0.2.250"}); r.Status != OK {
		t.Errorf("%+v", r)
	}
}

func TestPublicAddress(t *testing.T) {
	for text, status := range map[string]string{
		"203.0.113.7": OK, "2001:db8::7": OK, "10.1.2.3": Warning, "127.0.0.1": Warning, "169.254.1.1": Warning,
		"100.64.1.1": Warning, "fd00::2": Warning,
	} {
		if r := checkPublic("public address", netip.MustParseAddr(text)); r.Status != status {
			t.Errorf("%s: %+v, want %s", text, r, status)
		}
		if r := publicAddress(t.Context(), settings.ICE{PublicIPs: []string{text}}, ""); r.Status != status {
			t.Errorf("%s: %+v, want %s", text, r, status)
		}
	}
	if r := publicAddress(t.Context(), settings.ICE{}, "127.0.0.1:0"); r.Status != OK || !strings.Contains(r.Detail,
		"--public-ip") {
		t.Errorf("%+v", r)
	}
}

func TestReachPorts(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	address := taken.Addr().String()
	seen := map[string]Result{}
	s := settings.ServeFlags(settings.NewFlags("doctor"))
	s.Server.Media, s.TLS.Redirect = "127.0.0.1:0", address
	s.ICE = settings.ICE{MediaTCP: address, Turn: address, TurnTLS: "127.0.0.1:0"}
	remoteAccess(t.Context(), s, func(r Result) { seen[r.Check] = r })
	for check, flag := range map[string]string{"plain HTTP port": "--http-redirect", "TCP media port": "--media-tcp",
		"TURN port, TCP": "--turn"} {
		if r := seen[check]; r.Status != Failure || !strings.Contains(r.Cure, flag) {
			t.Errorf("%s: %+v", check, r)
		}
	}
	for _, check := range []string{"TURN port, UDP", "TURN port, TLS", "public address"} {
		if r := seen[check]; r.Status != OK {
			t.Errorf("%s: %+v", check, r)
		}
	}
}

// TestOperators: the operators' port asks for no password, so that it is a warning if others reach it.
func TestOperators(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for address, want := range map[string]string{
		"": "", "127.0.0.1:0": OK, "localhost:0": OK, "[::1]:0": OK, ":0": Warning, "0.0.0.0:0": Warning,
		taken.Addr().String(): Failure,
	} {
		got := ""
		operators(address, func(r Result) { got = r.Status })
		if got != want && !(address == "[::1]:0" && got == Failure) { // a machine may have no IPv6
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}
