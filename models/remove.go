package models

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"mindflow/pipeline/field"
)

// Remove removes a model from a folder: its entry, where the user added it, then its file, unless another entry names
// the same file, and what unfinished downloads and imports left. It returns the removed files, and fs.ErrNotExist
// where there were none.
func Remove(dir, name string) (removed []string, err error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	if dir == "" { // names would be files of the current folder
		return nil, field.Errorf("Models", "remove model %s: there is no home folder to keep models in; name a folder",
			name)
	}
	m, err := Load(dir)
	if err != nil {
		return nil, err
	}
	paths := []string{filepath.Join(dir, name+".json")} // first, so that no entry is left without its file
	if e, err := m.Lookup(name); err == nil && !m.shares(e) {
		paths = append(paths, filepath.Join(dir, e.File), filepath.Join(dir, e.File+".part"))
	}
	for _, path := range paths {
		if _, err := os.Lstat(path); err != nil {
			continue
		}
		if err := os.Remove(path); err != nil {
			return removed, fmt.Errorf("remove model %s: %w", name, err)
		}
		removed = append(removed, path)
	}
	left, err := sweepIn(dir, name)
	if removed = append(removed, left...); err != nil {
		return removed, fmt.Errorf("remove model %s: %w", name, err)
	}
	if len(removed) == 0 {
		return nil, fmt.Errorf("remove model %s: %w", name, fs.ErrNotExist)
	}
	return removed, nil
}

// sweepIn is sweep for a folder that may not exist.
func sweepIn(dir, name string) (removed []string, err error) {
	folder, err := os.Open(dir)
	if err != nil {
		return nil, nil
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	return sweep(folder, name)
}

// shares reports whether another entry names the same file.
func (m *Manifest) shares(e Entry) bool {
	for _, other := range m.Models {
		if other.Name != e.Name && other.File == e.File {
			return true
		}
	}
	return false
}
