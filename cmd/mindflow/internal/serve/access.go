package serve

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/server/access"
)

// openGate returns the check of who may use the server. It reads the files of the settings again when they change.
func openGate(a *settings.Access, log *slog.Logger) (*access.Authenticator, error) {
	var files []string
	for _, name := range []string{a.TokenFile, a.JWTKeys} {
		if name != "" {
			files = append(files, name)
		}
	}
	read := func() (*access.Authenticator, error) { return readGate(a) }
	if len(files) == 0 {
		return read()
	}
	return access.Reloading(read, files, log)
}

func readGate(a *settings.Access) (*access.Authenticator, error) {
	var shared []string
	if a.Token != "" {
		shared = append(shared, string(a.Token))
	}
	var keys []access.Key
	if a.TokenFile != "" {
		text, err := readSecret(a.TokenFile)
		if err != nil {
			return nil, fmt.Errorf("--token-file: %w", err)
		}
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				shared = append(shared, line)
			}
		}
		if len(shared) == 0 {
			return nil, fmt.Errorf("--token-file: %s holds no token; mindflow token shared makes one", a.TokenFile)
		}
	}
	if a.JWTKeys != "" {
		var err error
		if keys, err = readKeys(a.JWTKeys); err != nil {
			return nil, fmt.Errorf("--jwt-keys: %w", err)
		}
	}
	g, err := access.New(shared, access.Signed{Keys: keys, Audience: a.Audience, MaxLife: a.MaxTokenLife})
	if err != nil {
		return nil, fmt.Errorf("shared tokens: %w", err)
	}
	return g, nil
}

// maxSecret bounds a file of tokens or keys, in bytes.
const maxSecret = 64 << 10

// readSecret reads a file of tokens or keys. The error shows nothing of its content.
func readSecret(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxSecret+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if len(text) > maxSecret {
		return nil, fmt.Errorf("%s: more than %d bytes", path, maxSecret)
	}
	return text, nil
}
