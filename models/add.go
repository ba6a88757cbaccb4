package models

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"mindflow/pipeline/field"
)

// FileName returns the file name of an imported model. It contains a part of the checksum, so that a new file can be
// beside the one that it replaces, and the entry alone decides which of them is the model.
func FileName(name, sum string) string { return fmt.Sprintf("%s-%.8s.onnx", name, sum) }

// Add makes the file at part, which is in dir, and its entry a model of dir. It replaces a model of the same name
// once the new entry is written; then the old file is removed. Until then, also after a crash or an error, the old
// model is unchanged.
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

// publish renames the file at path once its bytes are on the disk, and waits until the name is on the disk too.
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
