package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"mindflow/models"
)

// Find returns the entry of that name, which must have the role, and the path of its file, whose checksum it
// verifies. The file is in dir or, if dir has none of that name, beside the program.
func Find(manifest *models.Manifest, dir, name, role string) (models.Entry, string, error) {
	entry, err := manifest.Lookup(name)
	if err != nil {
		return entry, "", err
	}
	if entry.Role != role {
		return entry, "", fmt.Errorf("model %s is there to %s; name one that can %s", name, entry.Role, role)
	}
	if path := Locate(dir, entry); path != "" {
		dir = filepath.Dir(path)
	}
	file, err := models.Verify(dir, entry)
	return entry, file, err
}

// findAll is Find for each of the named classifiers.
func findAll(manifest *models.Manifest, dir string, names []string) (entries []models.Entry, files []string,
	err error) {
	for _, name := range names {
		entry, file, err := Find(manifest, dir, name, models.Classify)
		if err != nil {
			return nil, nil, err
		}
		entries, files = append(entries, entry), append(files, file)
	}
	return entries, files, nil
}

// Locate returns the path of the entry's file: in dir, beside the program or where a package of the system puts it. It
// returns "" where none has it.
func Locate(dir string, e models.Entry) string {
	for _, folder := range []string{dir, beside("models"), e.Folder} {
		if folder == "" {
			continue
		}
		path := filepath.Join(folder, e.File)
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			return path
		}
	}
	return ""
}
