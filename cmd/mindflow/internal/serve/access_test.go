package serve

import (
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

// TestKeyFileFaults: a file of keys that cannot be used is an error, which shows nothing of it.
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
		if err == nil || !strings.Contains(err.Error(), row.flag) && !strings.Contains(err.Error(), "shared tokens") ||
			!strings.Contains(err.Error(), row.want) ||
			strings.Contains(err.Error(), "secret") {
			t.Errorf("%s %q: %v, want %q", row.flag, row.text[:min(30, len(row.text))], err, row.want)
		}
	}
	for _, flag := range []string{"--token-file", "--jwt-keys"} {
		if _, err := openGate(accessOf(t, flag, filepath.Join(folder, "none")),
			slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), flag) {
			t.Errorf("%s: %v", flag, err)
		}
	}
}
