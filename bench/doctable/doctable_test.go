package doctable

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mindflow/pipeline/testkit"
)

func TestBetween(t *testing.T) {
	const old = "a\n<!-- one: written by make bench -->\nold\n<!-- end of one -->\nb\n<!-- two: written by hand -->\n<!-- end of two -->\n"
	got, err := between(old, "one", "new\n\n")
	if want := strings.Replace(old, "old", "new", 1); err != nil || got != want {
		t.Errorf("%q, %v", got, err)
	}
	got, err = between(got, "two", "| 1 |")
	if err != nil || !strings.HasSuffix(got, "by hand -->\n| 1 |\n<!-- end of two -->\n") || !strings.HasPrefix(got, "a\n<!-- one: written by make bench -->\nnew\n") {
		t.Errorf("%q, %v", got, err)
	}
	for _, page := range []string{"", "<!-- end of one -->", "<!-- one: written by me -->\n", "<!-- end of one --><!-- one: written by me -->\n"} {
		if got, err := between(page, "one", ""); err == nil {
			t.Errorf("%q became %q", page, got)
		}
	}
}

// The page has the marks of all who write into it.
func TestMarks(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(testkit.Root(), Name))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"stages", "video", "ladder", "soak", "profile", "notebook"} {
		if _, err := between(string(text), name, ""); err != nil {
			t.Error(err)
		}
	}
}

func TestMedian(t *testing.T) {
	if got := Median([]float64{3, 1, 2}); got != 2 {
		t.Error(got)
	}
	if got := Median([]float64{4, 1, 3, 2}); got != 2.5 {
		t.Error(got)
	}
}
