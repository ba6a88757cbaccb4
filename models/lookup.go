package models

import (
	"fmt"
	"slices"
	"strings"
)

// Lookup finds a model by name. The error names those that come nearest.
func (m *Manifest) Lookup(name string) (Entry, error) {
	for _, e := range m.Models {
		if e.Name == name {
			return e, nil
		}
	}
	names := make([]string, len(m.Models))
	for i, e := range m.Models {
		names[i] = e.Name
	}
	const shown = 3
	slices.SortStableFunc(names, func(a, b string) int { return distance(name, a) - distance(name, b) })
	return Entry{}, fmt.Errorf("no model is named %q; nearest: %s", name, strings.Join(names[:min(len(names), shown)], ", "))
}

// distance is Levenshtein's: the insertions, deletions and substitutions between two names.
func distance(a, b string) int {
	row := make([]int, len(b)+1) // distances from a[:i] to each b[:j]
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitution := diagonal
			if a[i] != b[j] {
				substitution++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitution, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
