package settings

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDecode(t *testing.T) {
	for text, fine := range map[Decode]bool{
		"auto": true, "cpu": true, "cuda": true, "cuda:3": true, "": false, "vaapi": false, "cuda:x": false,
	} {
		if err := text.check(); (err == nil) != fine {
			t.Errorf("%q: %v", text, err)
		}
	}
}

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
		{"authority without domain", []string{"--acme-url", "https://a.example/dir"},
			"--acme-url without --tls-domain"},
		{"authority in the clear", []string{"--tls-domain", "a.example", "--acme-url", "http://a.example/dir"},
			"--acme-url http://a.example/dir"},
		{"domains", []string{"--tls-domain", "a.example,b-1.example.org", "--acme-email", "me@a.example"}, ""},
	}
	for _, c := range cases {
		err := printConfig(t, io.Discard, append([]string{"--open"}, c.args...)...)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q in it", c.name, err, c.want)
		}
	}
}

func TestICESettings(t *testing.T) {
	cases := []struct {
		name string
		args []string
		want string // in the error; "" is none
	}{
		{"no address", []string{"--public-ip", "example.org"}, "--public-ip example.org"},
		{"the unspecified address", []string{"--public-ip", "0.0.0.0"}, "--public-ip 0.0.0.0"},
		{"nobody to ask", []string{"--public-ip", "auto"}, "--stun-server"},
		{"nothing to ask", []string{"--stun-server", "stun.example.org:3478"}, "--public-ip auto"},
		{"a server without port", []string{"--public-ip", "auto", "--stun-server", "stun.example.org"}, "host:port"},
		{"a port without colon", []string{"--media-tcp", "8189"}, "--media-tcp 8189"},
		{"TURN over TLS without a certificate", []string{"--turn-tls", ":5349"}, "--turn-tls without HTTPS"},
		{"a name for nothing", []string{"--turn-host", "turn.example.org"}, "--turn-host without --turn"},
		{"a name with a port", []string{"--turn", ":3478", "--turn-host", "turn.example.org:3478"},
			"--turn-host turn.example.org:3478"},
		{"a TURN port without colon", []string{"--turn", "3478"}, "--turn 3478"},
		{"TURN", []string{"--turn", ":3478", "--turn-tls", ":5349", "--tls-self-signed", "--turn-host", "2001:db8::7",
			"--open"}, ""},
		{"all", []string{"--public-ip", "203.0.113.7,2001:db8::7", "--media-tcp", ":8189"}, ""},
	}
	for _, c := range cases {
		err := printConfig(t, io.Discard, c.args...)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q in it", c.name, err, c.want)
		}
	}
}

const aToken = "an-altogether-secret-token"

// TestWhoMayUse: a server that other machines reach without authentication needs --open.
func TestWhoMayUse(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(file, []byte(aToken), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		args, token string // token: in the environment
		want        string // "" starts
	}{
		{"", "", ""},
		{"--listen localhost:1", "", ""},
		{"--listen [::1]:1", "", ""},
		{"--listen 127.9.9.9:1", "", ""},
		{"--listen :1", "", "--open for everybody"},
		{"--listen 0.0.0.0:1", "", "mindflow token shared"},
		{"--listen [::]:1", "", "--listen [::]:1"},
		{"--listen 192.0.2.1:1", "", "--jwt-keys"},
		{"--listen :1 --open", "", ""},
		{"--open", "", ""},
		{"--listen :1 --token-file " + file, "", ""},
		{"--listen :1 --jwt-keys FILE --max-token-life 0", "", "--max-token-life 0s"},
		{"--listen :1 --jwt-keys FILE", "", ""}, // read later
		{"--listen :1", aToken, ""},
		{"--open --token-file " + file, "", "leave out one"},
		{"--open", aToken, "leave out one"},
		{"--token " + aToken, "", "MINDFLOW_TOKEN"},
		{"--jwt-keys FILE --jwt-audience=", "", "--jwt-audience"},
		{"", "a secret token with spaces in it", "--token: it holds a space"},
	} {
		t.Run(row.args+row.token, func(t *testing.T) {
			t.Setenv("MINDFLOW_TOKEN", row.token)
			var out bytes.Buffer
			err := printConfig(t, &out, strings.Fields(row.args)...)
			if row.want == "" && err != nil || row.want != "" &&
				(err == nil || !strings.Contains(err.Error(), row.want)) {
				t.Errorf("%v, want %q", err, row.want)
			}
			if err != nil && strings.Contains(err.Error(), "secret") || strings.Contains(out.String(), aToken) {
				t.Errorf("the token is shown: %v\n%s", err, out.String())
			}
			if row.token == aToken && err == nil && !strings.Contains(out.String(),
				"# token is set and not shown; # MINDFLOW_TOKEN") {
				t.Errorf("that there is a token is not said: %s", out.String())
			}
		})
	}
}

// TestTokenInSettingsFile: neither the error about a token of the wrong type nor --print-config shows the token.
func TestTokenInSettingsFile(t *testing.T) {
	var out bytes.Buffer
	err := printConfig(t, &out, "--config", settingsFile(t, `token = ["`+aToken+`"]`))
	if err == nil || strings.Contains(err.Error(), aToken) || !strings.Contains(err.Error(), "text in quotes") {
		t.Errorf("%v", err)
	}
	if err := printConfig(t, &out, "--config", settingsFile(t, `token = "`+aToken+`"`)); err != nil ||
		strings.Contains(out.String(), aToken) {
		t.Errorf("%v: %s", err, out.String())
	}
}
