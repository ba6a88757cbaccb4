package serve

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/server/access"
)

// tokenCommands are those that these tests run by their names.
var tokenCommands = map[string]func() settings.Command{
	"shared": TokenShared, "key": TokenKey, "public": TokenPublic, "sign": TokenSign,
}

// token runs `mindflow token` and returns what it prints.
func token(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := tokenCommands[args[0]]().Execute(t.Context(), args[1:], nil, &out)
	return out.String(), err
}

// said returns what `mindflow token` prints.
func said(t *testing.T, args ...string) string {
	t.Helper()
	text, err := token(t, args...)
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return text
}

// checked returns what a server with the settings grants to a token.
func checked(t *testing.T, token string, settings ...string) (access.Grant, error) {
	t.Helper()
	g, err := openGate(accessOf(t, settings...), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return g.Check([]string{"Bearer " + token}, time.Now())
}

// TestTokens: `mindflow serve` accepts what `mindflow token` makes.
func TestTokens(t *testing.T) {
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(at(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	first, second := said(t, "shared"), said(t, "shared")
	write("tokens", "# the kiosk's\n"+first+"\n\n  "+second)
	if _, err := checked(t, strings.TrimSpace(first), "--token-file", at("tokens")); err != nil {
		t.Error(err)
	}
	if _, err := checked(t, strings.TrimSpace(second), "--token-file", at("tokens")); err != nil || first == second {
		t.Error(err)
	}

	told := said(t, "key", at("old.json"), "--id", "old") + said(t, "key", at("new.json"), "--id", "new")
	if info, err := os.Stat(at("old.json")); err != nil || info.Mode().Perm() != 0o600 ||
		strings.Contains(told, `"d"`) {
		t.Errorf("%v, %v: %s", info.Mode(), err, told)
	}
	write("public.json", said(t, "public", at("old.json"), at("new.json")))
	for _, key := range []string{"old.json", "new.json"} {
		made := strings.TrimSpace(said(t, "sign", at(key), "--sub", "ada", "--max-sessions", "2", "--session-time",
			"5m", "--origin", "https://a.example"))
		grant, err := checked(t, made, "--jwt-keys", at("public.json"))
		if err != nil || grant.MaxSessions != 2 || grant.SessionTime != 5*time.Minute ||
			!strings.Contains(grant.Subject, "ada") || len(grant.Origins) != 1 {
			t.Errorf("%s: %+v, %v", key, grant, err)
		}
		if _, err := checked(t, made, "--jwt-keys", at("public.json"), "--jwt-audience", "other"); err == nil {
			t.Error("a token for another audience is taken")
		}
	}
	said(t, "key", at("secret.json"), "--alg", "HS256")
	made := strings.TrimSpace(said(t, "sign", at("secret.json"), "--aud", "faces"))
	if _, err := checked(t, made, "--jwt-keys", at("secret.json"), "--jwt-audience", "faces"); err != nil {
		t.Error(err)
	}
}

func TestTokenFaults(t *testing.T) {
	folder := t.TempDir()
	key, secret, other := filepath.Join(folder, "key"), filepath.Join(folder, "secret"), filepath.Join(folder, "other")
	said(t, "key", key)
	said(t, "key", secret, "--alg", "HS256")
	if err := os.WriteFile(other, []byte("my-password-in-the-wrong-file"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ args, want string }{
		{"key", "name one file"},
		{"key " + key, "there already"},
		{"key /nowhere/key", "no such file"},
		{"key x --alg RS256", "--alg"},
		{"public", "name the files"},
		{"public " + secret, "one secret"},
		{"public " + other, "not a JSON Web Key Set"},
		{"sign", "name the file"},
		{"sign " + key + " --key none", "no key of this name"},
		{"sign " + key + " --for -1s", "expired already"},
		{"sign " + key + " --origin a.example", "origins"},
		{"sign " + key + " --lasts 1h", "--lasts is no flag"},
		{"shared now", "no argument"},
	} {
		_, err := token(t, strings.Fields(row.args)...)
		if err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "password") {
			t.Errorf("%s: %v, want %q", row.args, err, row.want)
		}
	}
}
