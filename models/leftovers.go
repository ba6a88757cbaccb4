package models

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"
)

// unfinished matches the names of files before Add and WriteEntry rename them.
var unfinished = regexp.MustCompile(`^\.[A-Za-z0-9][A-Za-z0-9._-]*\.(onnx|json)\.part[0-9]+$`)

// UnfinishedFile returns the pattern, for os.CreateTemp, of a file that is to become a model's.
func UnfinishedFile(name string) string { return "." + name + ".onnx.part*" }

// Hold records, until release, that a file for the model of that name is being made in dir. First it removes what
// killed processes left, unless another process is making a file there.
func Hold(dir, name string) (release func() error, err error) {
	folder, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("folder of models: %w", err)
	}
	if _, err := sweep(folder, name); err != nil {
		return nil, errors.Join(err, folder.Close())
	}
	// Without locks no process sweeps, so a failure does not matter.
	_ = syscall.Flock(int(folder.Fd()), syscall.LOCK_SH)
	return folder.Close, nil
}

// sweep removes unfinished files, and files of the named model that no entry names. It does nothing while files are
// being made in the folder. It returns the removed files.
func sweep(folder *os.File, name string) (removed []string, err error) {
	if syscall.Flock(int(folder.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return nil, nil
	}
	m, err := Load(folder.Name())
	if err != nil {
		return nil, err
	}
	files, err := os.ReadDir(folder.Name())
	if err != nil {
		return nil, fmt.Errorf("folder of models: %w", err)
	}
	for _, f := range files {
		path := filepath.Join(folder.Name(), f.Name())
		if !f.Type().IsRegular() || !unfinished.MatchString(f.Name()) && !m.orphan(folder.Name(), f.Name(), name) {
			continue
		}
		if err := removeIfThere(path); err != nil {
			return removed, fmt.Errorf("remove what was left unfinished: %w", err)
		}
		removed = append(removed, path)
	}
	return removed, nil
}

// orphan reports whether the file was made for the model of that name and belongs to none. Only the part of the
// checksum in its name distinguishes it from a file of the user; an entry that cannot be read might name it.
func (m *Manifest) orphan(dir, file, name string) bool {
	if len(m.Faults) > 0 || slices.ContainsFunc(m.Models, func(e Entry) bool { return e.File == file }) {
		return false
	}
	if len(file) != len(FileName(name, "00000000")) || file[:len(name)] != name {
		return false
	}
	sum, err := sumOf(filepath.Join(dir, file))
	return err == nil && file == FileName(name, sum)
}
