package settings

import "strings"

// names is a flag that may be given several times, or once with commas. What is given replaces the default. It
// implements flag.Getter.
type names struct {
	list  *[]string
	given bool
}

func (n *names) String() string {
	if n.list == nil { // the zero value that package flag makes to compare with
		return ""
	}
	return strings.Join(*n.list, ",")
}

func (n *names) Get() any { return *n.list }

func (n *names) Set(text string) error {
	if !n.given {
		*n.list, n.given = nil, true
	}
	*n.list = append(*n.list, split(text)...)
	return nil
}

// List is a flag that may be given several times, or once with commas. It implements flag.Getter.
type List []string

func (l *List) String() string { return strings.Join(*l, ",") }

// Get returns the list as a []string.
func (l *List) Get() any { return []string(*l) }

// Set appends the values in v.
func (l *List) Set(v string) error {
	*l = append(*l, split(v)...)
	return nil
}

// split returns what stands between commas.
func split(v string) (parts []string) {
	for part := range strings.SplitSeq(v, ",") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

// Secret is a flag whose value is not printed.
type Secret string

// String returns nothing: --help would show it as the default.
func (s *Secret) String() string { return "" }

// Set sets the secret.
func (s *Secret) Set(v string) error {
	*s = Secret(v)
	return nil
}
