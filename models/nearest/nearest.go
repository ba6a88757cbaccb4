// Package nearest finds what a misspelt name was meant to be.
package nearest

import "slices"

// To gives the count names that are nearest to name, the nearest first; fewer where there are fewer.
// Names as near as each other keep their order.
func To(name string, names []string, count int) []string {
	names = slices.Clone(names)
	slices.SortStableFunc(names, func(a, b string) int { return distance(name, a) - distance(name, b) })
	return names[:min(len(names), count)]
}

// distance is Levenshtein's: the insertions, deletions and substitutions between two names, in bytes.
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
