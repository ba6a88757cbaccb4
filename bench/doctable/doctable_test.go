package doctable

import (
	"os"
	"strings"
	"testing"

	"mindflow/pipeline/testkit"
)

func TestReplace(t *testing.T) {
	const old = "a\n<!-- one: written by make bench -->\nold\n<!-- end of one -->\nb\n" +
		"<!-- two: written by hand -->\n<!-- end of two -->\n"
	got, err := replace(old, "one", "new\n\n")
	if want := strings.Replace(old, "old", "new", 1); err != nil || got != want {
		t.Errorf("%q, %v", got, err)
	}
	got, err = replace(got, "two", "| 1 |")
	if err != nil || !strings.HasSuffix(got, "by hand -->\n| 1 |\n<!-- end of two -->\n") ||
		!strings.HasPrefix(got, "a\n<!-- one: written by make bench -->\nnew\n") {
		t.Errorf("%q, %v", got, err)
	}
	for _, page := range []string{"", "<!-- end of one -->", "<!-- one: written by me -->\n",
		"<!-- end of one --><!-- one: written by me -->\n"} {
		if got, err := replace(page, "one", ""); err == nil {
			t.Errorf("%q became %q", page, got)
		}
	}
}

// TestMarks looks for the marks of every table that is written into docs.
func TestMarks(t *testing.T) {
	for _, name := range []string{"stages", "video", "ladder", "soak", "churn", "profile", "notebook", "paint"} {
		page, err := find(testkit.Root(), name)
		if err != nil {
			t.Error(err)
			continue
		}
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := replace(string(text), name, ""); err != nil {
			t.Errorf("%s: %v", page, err)
		}
	}
	if page, err := find(testkit.Root(), "nothing"); err == nil {
		t.Errorf("%s has marks that nobody wrote", page)
	}
}

func TestWrap(t *testing.T) {
	row, word := "|"+strings.Repeat(" a |", 40), strings.Repeat("é", 59)
	got := wrap(word + " " + word + " " + word + "\n\n" + row + "\n  b")
	if want := word + " " + word + "\n" + word + "\n\n" + row + "\nb"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestCommand(t *testing.T) {
	if got, want := Command("video", nil), "go run ./bench video"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	got := Command("soak", []string{"--precision", "fp32"}, "-sessions", "2")
	if want := "go run ./bench soak -sessions 2 -- --precision fp32"; got != want {
		t.Errorf("%q, want %q", got, want)
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
