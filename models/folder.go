package models

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"mindflow/pipeline/field"
)

// maxEntry is the largest size of a model's entry, in bytes.
const maxEntry = 64 << 10

// UserFolder returns the folder of models that the user added: mindflow/models in $XDG_DATA_HOME, by default
// ~/.local/share (XDG Base Directory Specification). It may not exist.
func UserFolder() (string, error) {
	if data := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(data) { // the specification ignores relative paths
		return filepath.Join(data, "mindflow", "models"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", field.Errorf("Models", "find the folder of your models: %w; name one", err)
	}
	return filepath.Join(home, ".local", "share", "mindflow", "models"), nil
}

// Load returns Default and the models added to a folder: for each model NAME an entry NAME.json, and the file that the
// entry names. A missing folder has no models. A faulty entry hides its own model only; Lookup returns the reason.
func Load(dir string) (*Manifest, error) {
	m, err := Default()
	if err != nil {
		return nil, err
	}
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, field.Errorf("Models", "%w; correct the name of the folder", err)
	}
	shipped := len(m.Models)
	m.Faults = map[string]error{}
	for _, f := range files {
		name, isEntry := strings.CutSuffix(f.Name(), ".json")
		if !isEntry {
			continue
		}
		path := filepath.Join(dir, f.Name())
		e, err := readEntry(path)
		switch {
		case err != nil:
		case e.Name != name:
			err = fmt.Errorf("its entry is named %q; name the file %s.json", e.Name, e.Name)
		case slices.ContainsFunc(m.Models[:shipped], func(s Entry) bool { return s.Name == name }):
			err = errors.New("a model of that name is shipped; rename the file and the entry in it")
		}
		if err != nil {
			m.Faults[name] = fmt.Errorf("model %s: %s: %w", name, path, err)
			continue
		}
		m.Models = append(m.Models, e)
	}
	return m, nil
}

func readEntry(path string) (e Entry, err error) {
	f, err := os.Open(path)
	if err != nil {
		return e, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxEntry+1))
	if err != nil {
		return e, err
	}
	if len(text) > maxEntry {
		return e, fmt.Errorf("more than %d bytes", maxEntry)
	}
	return ParseEntry(text)
}

// ParseEntry parses one entry of a manifest. Its error is one line.
func ParseEntry(text []byte) (Entry, error) {
	var e Entry
	if err := strict(text, &e); err != nil {
		return e, err
	}
	m := Manifest{Models: []Entry{e}}
	if err := m.validate(); err != nil {
		return e, errors.New(strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return e, nil
}

// WriteEntry writes the entry to dir as NAME.json, atomically: a reader finds the old file or the new one. Write the
// model's file first.
func WriteEntry(dir string, e Entry) error {
	if err := CheckName(e.Name); err != nil {
		return err
	}
	text, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return fmt.Errorf("write entry: %w", err)
	}
	if _, err := ParseEntry(text); err != nil {
		return fmt.Errorf("write entry: %w", err)
	}
	return WriteFile(filepath.Join(dir, e.Name+".json"), func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
}

var goodName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// importedFrom begins the source of imported models.
const importedFrom = "imported from "

// ImportedFrom returns the Source of a model that was imported from the described checkpoint.
func ImportedFrom(what string) string { return importedFrom + what }

// Imported reports whether the user imported the model from a checkpoint.
func (e Entry) Imported() bool { return strings.HasPrefix(e.Source, importedFrom) }

// CheckName returns an error unless the name is valid for a model, and so for files.
func CheckName(name string) error {
	if !goodName.MatchString(name) {
		return fmt.Errorf("model name %.80q: use 1 to 64 letters, digits, dots, dashes and underscores, a letter or "+
			"digit first", name)
	}
	return nil
}

// WriteFile writes a file atomically, through a temporary one beside it: after an error or a crash, path is unchanged.
func WriteFile(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".part*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("write %s: %w", path, err), removeIfThere(f.Name()))
		}
	}()
	err = write(f)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return publish(f.Name(), path)
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
