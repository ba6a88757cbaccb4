// Package cert gives a server its certificate: read from files, ordered from an authority (ACME, RFC 8555), or
// made here for a LAN.
package cert

import (
	"crypto/tls"
	"os"
	"path/filepath"

	"mindflow/pipeline/field"
)

// serverTLS is what all three have in common. TLS 1.2 is the least that browsers of today speak. HTTP/2 is not offered:
// the server's limits on time and memory are for connections, and one of HTTP/2 carries many requests.
func serverTLS(get func(*tls.ClientHelloInfo) (*tls.Certificate, error)) *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"http/1.1"},
		GetCertificate: get,
	}
}

// Folder is where certificates that are made or ordered are kept where the host names no other folder: what systemd
// gives a unit, or else mindflow in the user's state folder (XDG Base Directory Specification). The error says that
// there is no home.
func Folder() (string, error) {
	if dir := os.Getenv("STATE_DIRECTORY"); dir != "" {
		return filepath.SplitList(dir)[0], nil
	}
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "mindflow"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", field.Errorf("CertFolder", "find a folder for certificates: %w; name one", err)
	}
	return filepath.Join(home, ".local", "state", "mindflow"), nil
}
