package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mindflow/server/access"
)

// said is what a command prints.
func said(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	if err := run(t.Context(), args, &out); err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return out.String()
}

// checked is what a server with the settings says to a token.
func checked(t *testing.T, token string, settings ...string) (access.Grant, error) {
	t.Helper()
	g, err := openGate(accessOf(t, settings...), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return g.Check([]string{"Bearer " + token}, time.Now())
}

// What `mindflow token` makes, `mindflow serve` takes.
func TestTokens(t *testing.T) {
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(at(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	first, second := said(t, "token", "shared"), said(t, "token", "shared")
	write("tokens", "# the kiosk's\n"+first+"\n\n  "+second)
	if _, err := checked(t, strings.TrimSpace(first), "--token-file", at("tokens")); err != nil {
		t.Error(err)
	}
	if _, err := checked(t, strings.TrimSpace(second), "--token-file", at("tokens")); err != nil || first == second {
		t.Error(err)
	}

	told := said(t, "token", "key", at("old.json"), "--id", "old") + said(t, "token", "key", at("new.json"), "--id", "new")
	if info, err := os.Stat(at("old.json")); err != nil || info.Mode().Perm() != 0o600 || strings.Contains(told, `"d"`) {
		t.Errorf("%v, %v: %s", info.Mode(), err, told)
	}
	write("public.json", said(t, "token", "public", at("old.json"), at("new.json")))
	for _, key := range []string{"old.json", "new.json"} {
		made := strings.TrimSpace(said(t, "token", "sign", at(key), "--sub", "ada", "--max-sessions", "2", "--session-time", "5m", "--origin", "https://a.example"))
		grant, err := checked(t, made, "--jwt-keys", at("public.json"))
		if err != nil || grant.MaxSessions != 2 || grant.SessionTime != 5*time.Minute || !strings.Contains(grant.Subject, "ada") || len(grant.Origins) != 1 {
			t.Errorf("%s: %+v, %v", key, grant, err)
		}
		if _, err := checked(t, made, "--jwt-keys", at("public.json"), "--jwt-audience", "other"); err == nil {
			t.Error("a token for another audience is taken")
		}
	}
	said(t, "token", "key", at("secret.json"), "--alg", "HS256")
	made := strings.TrimSpace(said(t, "token", "sign", at("secret.json"), "--aud", "faces"))
	if _, err := checked(t, made, "--jwt-keys", at("secret.json"), "--jwt-audience", "faces"); err != nil {
		t.Error(err)
	}
}

func TestTokenFaults(t *testing.T) {
	folder := t.TempDir()
	key, secret, other := filepath.Join(folder, "key"), filepath.Join(folder, "secret"), filepath.Join(folder, "other")
	said(t, "token", "key", key)
	said(t, "token", "key", secret, "--alg", "HS256")
	if err := os.WriteFile(other, []byte("my-password-in-the-wrong-file"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ args, want string }{
		{"token", "name a command"},
		{"token sing", "mindflow token help"},
		{"token key", "name one file"},
		{"token key " + key, "there already"},
		{"token key /nowhere/key", "no such file"},
		{"token key x --alg RS256", "--alg"},
		{"token public", "name the files"},
		{"token public " + secret, "one secret"},
		{"token public " + other, "not a JSON Web Key Set"},
		{"token sign", "name the file"},
		{"token sign " + key + " --key none", "no key of this name"},
		{"token sign " + key + " --for -1s", "expired already"},
		{"token sign " + key + " --origin a.example", "origins"},
		{"token sign " + key + " --lasts 1h", "--lasts is no flag"},
		{"token shared now", "no argument"},
	} {
		err := run(t.Context(), strings.Fields(row.args), &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "password") {
			t.Errorf("%s: %v, want %q", row.args, err, row.want)
		}
	}
}
