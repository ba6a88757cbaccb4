package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pages returns the Markdown files of the project, from its root.
func pages(t *testing.T) (names []string) {
	t.Helper()
	err := filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		hidden := strings.HasPrefix(d.Name(), ".") && d.Name() != ".." && d.Name() != ".github"
		switch {
		case err != nil:
			return err
		case d.IsDir() && (hidden || d.Name() == "node_modules"):
			return filepath.SkipDir
		case strings.HasSuffix(name, ".md"):
			names = append(names, name)
		}
		return nil
	})
	if err != nil || len(names) < 20 {
		t.Fatalf("%d pages found, %v", len(names), err)
	}
	return names
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var (
	fenced   = regexp.MustCompile("(?ms)^ *```.*?^ *```")
	heading  = regexp.MustCompile(`(?m)^#+ (.*)$`)
	target   = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	span     = regexp.MustCompile("`[^`]+`")
	notSlug  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	test     = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	testName = regexp.MustCompile(`^(?:Test|Fuzz)[A-Z]\w+$`)
	path     = regexp.MustCompile(`^(?:\./)?((?:bench|cmd|docs|models|pipeline|server|web)/[\w.*/-]+)$`)
)

// anchors returns the anchors of a page's headings, as GitHub makes them.
func anchors(text string) (list []string) {
	for _, m := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		title := strings.ToLower(regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`).ReplaceAllString(m[1], "$1"))
		list = append(list, strings.ReplaceAll(notSlug.ReplaceAllString(title, ""), " ", "-"))
	}
	return list
}

// TestLinks checks that links within the project lead to a file, and to a heading in it.
func TestLinks(t *testing.T) {
	for _, page := range pages(t) {
		text := read(t, page)
		prose := span.ReplaceAllString(fenced.ReplaceAllString(text, ""), "``")
		for _, m := range target.FindAllStringSubmatch(prose, -1) {
			to, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(to, ":") {
				continue // another site
			}
			file := page
			if to != "" {
				file = filepath.Join(filepath.Dir(page), to)
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s links to %s, which is not there", page, m[1])
			} else if anchor != "" && !slices.Contains(anchors(read(t, file)), anchor) {
				t.Errorf("%s links to %s, where no such heading is", page, m[1])
			}
		}
	}
}

// code returns the words of a page that stand as code. It leaves out those of which the page says that they are as of
// an older commit.
func code(text string) []string {
	parts := fenced.FindAllString(text, -1)
	text = strings.Join(strings.Fields(fenced.ReplaceAllString(text, "")), " ")
	for _, at := range span.FindAllStringIndex(text, -1) {
		if !strings.HasPrefix(text[at[1]:], " as of commit") {
			parts = append(parts, strings.Trim(text[at[0]:at[1]], "`"))
		}
	}
	return strings.Fields(strings.Join(parts, " "))
}

// TestPaths checks that files and folders that the pages name as code exist. A measurement may name a program that is
// gone, with the last commit that has it.
func TestPaths(t *testing.T) {
	for _, page := range pages(t) {
		for _, word := range code(read(t, page)) {
			m := path.FindStringSubmatch(strings.TrimSuffix(word, "/..."))
			if m == nil {
				continue
			}
			if found, err := filepath.Glob(filepath.Join("..", m[1])); err != nil || len(found) == 0 {
				t.Errorf("%s names %s, which is not there", page, m[1])
			}
		}
	}
}

// TestTests checks that tests and fuzz targets that the pages name exist. A page may name several by what their names
// begin with.
func TestTests(t *testing.T) {
	var names []string
	err := filepath.WalkDir("..", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		for _, m := range test.FindAllStringSubmatch(read(t, name), -1) {
			names = append(names, m[1])
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages(t) {
		for _, word := range code(read(t, page)) {
			named := func(name string) bool { return strings.HasPrefix(name, word) }
			if testName.MatchString(word) && !slices.ContainsFunc(names, named) {
				t.Errorf("%s names %s, which no test is called", page, word)
			}
		}
	}
}
