package models

import (
	"fmt"
	"strings"

	"mindflow/models/nearest"
)

// Lookup finds a model by name. The error says why it could not be read, or names those that come nearest.
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
	const shown = 3
	return Entry{}, fmt.Errorf("no model is named %q; nearest: %s", name, strings.Join(nearest.To(name, names, shown), ", "))
}
