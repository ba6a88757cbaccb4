package models

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"mindflow/pipeline/field"
)

// FileName is the file of an imported model. It has a part of its sum in it, so that a new file stands
// beside the one that it replaces, and the entry alone says which of the two is the model.
func FileName(name, sum string) string { return fmt.Sprintf("%s-%.8s.onnx", name, sum) }

// Add makes the file at part, which lies in dir, and its entry a model of dir. It takes the place of one of
// that name when its entry is there, with which the file that the other had goes. Until then, after a crash
// or an error too, the other is as it was.
func Add(dir, part string, e Entry) error {
	m, err := Load(dir)
	if err != nil {
		return err
	}
	old, target, known := "", filepath.Join(dir, e.File), false
	for _, other := range m.Models {
		if other.Name == e.Name {
			old = other.File
		}
		if other.File == e.File {
			known = true
			if other.Name != e.Name && other.SHA256 != e.SHA256 {
				return field.Errorf("Name", "%s is the file of the model %s; choose another name", e.File, other.Name)
			}
		}
	}
	if err := publish(part, target); err != nil {
		return fmt.Errorf("write model: %w", err)
	}
	if err := WriteEntry(dir, e); err != nil {
		if !known {
			err = errors.Join(err, removeIfThere(target))
		}
		return err
	}
	if old == "" || old == e.File || m.shares(Entry{Model: e.Model, File: old}) {
		return nil
	}
	if err := removeIfThere(filepath.Join(dir, old)); err != nil {
		return fmt.Errorf("%s was replaced, but the file that it had is still there; remove it: %w", e.Name, err)
	}
	return nil
}

// publish gives the file at path its name once its bytes are on the disk, and waits until the name is.
func publish(path, name string) error {
	if err := syncFile(path); err != nil {
		return err
	}
	if err := os.Rename(path, name); err != nil {
		return err
	}
	return syncFile(filepath.Dir(name))
}

// syncFile waits until a file's bytes, or the names in a folder, are on the disk.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
