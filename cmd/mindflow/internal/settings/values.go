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
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			*n.list = append(*n.list, part)
		}
	}
	return nil
}
