package models

import (
	"fmt"
	"strings"
)

// Lookup returns the model of that name. The error says why its entry could not be read, how to get the model, or which
// names are nearest.
func (m *Manifest) Lookup(name string) (Entry, error) {
	names := make([]string, len(m.Models))
	for i, e := range m.Models {
		if e.Name == name {
			return e, nil
		}
		names[i] = e.Name
	}
	if err := m.Faults[name]; err != nil {
		return Entry{}, err
	}
	if r, ok := m.Recipe(name); ok {
		return Entry{}, fmt.Errorf("model %s", r)
	}
	const shown = 3
	return Entry{}, fmt.Errorf("no model is named %q; nearest: %s", name,
		strings.Join(Nearest(name, names, shown), ", "))
}
