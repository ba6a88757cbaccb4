package models

import (
	"slices"
	"testing"
)

func TestNearest(t *testing.T) {
	names := []string{"threads", "listen", "media", "model", "models"}
	cases := []struct {
		name  string
		count int
		want  []string
	}{
		{"models-", 1, []string{"models"}},
		{"lisen", 1, []string{"listen"}},
		{"mode", 2, []string{"model", "models"}},
		{"media", 9, []string{"media", "model", "models", "threads", "listen"}},
		{"x", 0, nil},
	}
	for _, c := range cases {
		got := Nearest(c.name, names, c.count)
		if !slices.Equal(got, c.want) {
			t.Errorf("%d nearest to %s: %v, want %v", c.count, c.name, got, c.want)
		}
	}
	if names[0] != "threads" {
		t.Error("Nearest sorted the caller's names")
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"kitten", "sitting", 3}, {"dan", "adn", 2}, {"same", "same", 0}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("%q to %q is %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
