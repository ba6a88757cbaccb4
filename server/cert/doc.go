// Package cert provides a server's certificate: read from files, ordered from an authority (ACME, RFC 8555), or
// self-signed for a LAN.
package cert

import (
	"crypto/tls"
	"os"
	"path/filepath"

	"mindflow/pipeline/field"
)

// serverTLS is the common configuration. TLS 1.2 is the oldest version that current browsers speak. HTTP/2 is not
// offered: the server limits time and memory of connections, and an HTTP/2 connection carries many requests.
func serverTLS(get func(*tls.ClientHelloInfo) (*tls.Certificate, error)) *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"http/1.1"},
		GetCertificate: get,
	}
}

// Folder returns the default folder of certificates: systemd's state folder of the unit, or else mindflow in the user's
// state folder (XDG Base Directory Specification). It fails without a home folder.
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
