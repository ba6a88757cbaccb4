package settings

import (
	"bytes"
	"strings"
	"testing"
)

// TestPresetIsTheLastSource: a preset sets what no other source sets.
func TestPresetIsTheLastSource(t *testing.T) {
	got := printed(t, "--preset", "notebook", "--config", settingsFile(t, `smoothing = "1s"`))
	for key, want := range map[string]string{
		"detector": `detector = "haar" # --preset notebook`, "preset": `preset = "notebook" # --preset`,
		"model": `model = ["dan-ferplus"] # default`,
	} {
		if got[key] != want {
			t.Errorf("%s, want %s", got[key], want)
		}
	}
	if !strings.HasPrefix(got["smoothing"], `smoothing = "1s" # `) || strings.Contains(got["smoothing"], "preset") {
		t.Errorf("%s, want what the file says", got["smoothing"])
	}
	if got := printed(t, "--preset", "notebook"); got["smoothing"] != `smoothing = "0s" # --preset notebook` {
		t.Errorf("%s, want what the preset says", got["smoothing"])
	}
	err := printConfig(t, &bytes.Buffer{}, "--preset", "notebok")
	if err == nil || !strings.Contains(err.Error(), "notebok") || !strings.Contains(err.Error(),
		"the presets are: notebook") {
		t.Errorf("an unknown preset: %v", err)
	}
}

// TestTLSImpliesPorts: a certificate implies the ports of HTTPS, and no more.
func TestTLSImpliesPorts(t *testing.T) {
	cases := []struct {
		name             string
		args             []string
		listen, redirect string
	}{
		{"none", nil, `listen = "127.0.0.1:8080" # default`, `http-redirect = "" # default`},
		{"files", []string{"--tls-cert", "c", "--tls-key", "k"}, `listen = ":443" # --tls-cert`,
			`http-redirect = ":80" # --tls-cert`},
		{"authority", []string{"--tls-domain", "a.example"}, `listen = ":443" # --tls-domain`,
			`http-redirect = ":80" # --tls-domain`},
		{"another port", []string{"--tls-domain", "a.example", "--listen", ":8443"}, `listen = ":8443" # --listen`,
			`http-redirect = "" # default`},
		{"no redirect", []string{"--tls-domain", "a.example", "--http-redirect="}, `listen = ":443" # --tls-domain`,
			`http-redirect = "" # --http-redirect`},
		{"self-signed", []string{"--tls-self-signed"}, `listen = ":8443" # --tls-self-signed`,
			`http-redirect = "" # default`},
	}
	for _, c := range cases {
		lines := printed(t, append([]string{"--open"}, c.args...)...)
		if lines["listen"] != c.listen || lines["http-redirect"] != c.redirect {
			t.Errorf("%s: %s; %s", c.name, lines["listen"], lines["http-redirect"])
		}
	}
}
