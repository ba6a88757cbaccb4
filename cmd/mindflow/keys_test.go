package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mindflow/cmd/mindflow/internal/settings"
)

const aToken = "an-altogether-secret-token"

// accessOf returns the settings that arguments make.
func accessOf(t *testing.T, args ...string) *settings.Access {
	t.Helper()
	fs := settings.NewFlags("serve")
	s := settings.ServeFlags(fs)
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	return &s.Access
}

// A server that others reach without keys must be told so.
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
			err := run(t.Context(), append([]string{"serve", "--print-config"}, strings.Fields(row.args)...), &out)
			if row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
				t.Errorf("%v, want %q", err, row.want)
			}
			if err != nil && strings.Contains(err.Error(), "secret") || strings.Contains(out.String(), aToken) {
				t.Errorf("the token is shown: %v\n%s", err, out.String())
			}
			if row.token == aToken && err == nil && !strings.Contains(out.String(), "# token is set and not shown; # MINDFLOW_TOKEN") {
				t.Errorf("that there is a token is not said: %s", out.String())
			}
		})
	}
}

// Files of keys that cannot be used keep the server from starting, and are not shown.
func TestKeyFileFaults(t *testing.T) {
	folder := t.TempDir()
	for i, row := range []struct{ flag, text, want string }{
		{"--token-file", "", "holds no token"},
		{"--token-file", "# secret comment\n", "holds no token"},
		{"--token-file", "short-secret", "fewer than 22"},
		{"--token-file", aToken + "\nanother secret with spaces", "token 2: it holds characters"},
		{"--token-file", strings.Repeat("x", maxSecret+1), "more than 65536"},
		{"--jwt-keys", aToken, "not a JSON Web Key Set"},
		{"--jwt-keys", `{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}`, "6 bytes"},
	} {
		path := filepath.Join(folder, string(rune('a'+i)))
		if err := os.WriteFile(path, []byte(row.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := openGate(accessOf(t, row.flag, path), slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), row.flag) && !strings.Contains(err.Error(), "shared tokens") || !strings.Contains(err.Error(), row.want) ||
			strings.Contains(err.Error(), "secret") {
			t.Errorf("%s %q: %v, want %q", row.flag, row.text[:min(30, len(row.text))], err, row.want)
		}
	}
	for _, flag := range []string{"--token-file", "--jwt-keys"} {
		if _, err := openGate(accessOf(t, flag, filepath.Join(folder, "none")), slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), flag) {
			t.Errorf("%s: %v", flag, err)
		}
	}
}

// A token of the wrong kind in a settings file is not shown either, nor one in a file that is printed.
func TestTokenInSettingsFile(t *testing.T) {
	var out bytes.Buffer
	err := run(t.Context(), []string{"serve", "--print-config", "--config", settingsFile(t, `token = ["`+aToken+`"]`)}, &out)
	if err == nil || strings.Contains(err.Error(), aToken) || !strings.Contains(err.Error(), "text in quotes") {
		t.Errorf("%v", err)
	}
	if err := run(t.Context(), []string{"serve", "--print-config", "--config", settingsFile(t, `token = "`+aToken+`"`)}, &out); err != nil ||
		strings.Contains(out.String(), aToken) {
		t.Errorf("%v: %s", err, out.String())
	}
}
