package serve

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"mindflow/cmd/mindflow/internal/clitest"
	"mindflow/pipeline/testkit"
)

// TestTokenExamples: the backends of docs/examples sign tokens that a server accepts.
func TestTokenExamples(t *testing.T) {
	backends := filepath.Join(testkit.Root(), "docs", "examples", "backend")
	folder := t.TempDir()
	key, public := filepath.Join(folder, "signing-key.json"), filepath.Join(folder, "public-keys.json")
	said(t, "key", key)
	if err := os.WriteFile(public, []byte(said(t, "public", key)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ file, program string }{
		{"backend.go", ""}, // built here, where its library is, and run there, where the key is
		{"backend.mjs", "node"},
	} {
		t.Run(row.file, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), row.program, filepath.Join(backends, row.file))
			if row.program == "" {
				made := filepath.Join(folder, "backend")
				if text, err := exec.CommandContext(t.Context(), "go", "build", "-o", made,
					filepath.Join(backends, row.file)).CombinedOutput(); err != nil {
					t.Fatalf("%v: %s", err, text)
				}
				cmd = exec.CommandContext(t.Context(), made)
			}
			token := lent(t, cmd, folder)
			grant, err := checked(t, token, "--jwt-keys", public, "--jwt-audience", "faces.example")
			if err != nil || grant.MaxSessions != 1 || !grant.AllowsOrigin("https://shop.example") ||
				grant.AllowsOrigin("https://other.example") {
				t.Errorf("%+v, %v: %s", grant, err, token)
			}
		})
	}
}

// lent runs a backend in folder and returns the token that it gives a page.
func lent(t *testing.T, cmd *exec.Cmd, folder string) string {
	t.Helper()
	port := testkit.FreePort(t)
	var log bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stderr = folder, append(os.Environ(), fmt.Sprint("PORT=", port)), &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill() // it may have ended by itself; then the request failed
		_ = cmd.Wait()
	}()
	url := fmt.Sprintf("http://127.0.0.1:%d/my-mindflow-token", port)
	response, err := http.Post(url, "", nil)
	for deadline := time.Now().Add(clitest.Patience); err != nil && time.Now().Before(deadline); response,
		err = http.Post(url, "", nil) {
		time.Sleep(50 * time.Millisecond) // until it listens
	}
	if err != nil {
		t.Fatalf("%v; it said: %s", err, log.String())
	}
	defer response.Body.Close()
	token, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s, %v: %s", response.Status, err, token)
	}
	return string(token)
}
