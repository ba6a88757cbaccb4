package evaluate

import (
	"fmt"
	"io"
	"strings"
)

// Print prints a result. model and path are the names of the model and of the set.
func Print(out io.Writer, r *Result, model, path string) error {
	var b strings.Builder
	printReport(&b, model+" on "+path, r.Report)
	if r.Versus != nil {
		fmt.Fprintln(&b)
		printReport(&b, r.Versus.Model, r.Versus.Report)
		fmt.Fprintf(&b, "\n%s and %s say the same of %s\n", model, r.Versus.Model, percent(r.Versus.Agreement))
		if v := r.Versus; len(v.Without) > 0 {
			fmt.Fprintf(&b, "each chose among the %d classes that both have, without %s; pictures left out for "+
				"that: %d\n", len(v.PerClass), strings.Join(v.Without, ", "), v.LeftOut)
		}
	}
	printLeftOut(&b, r)
	_, err := io.WriteString(out, b.String())
	return err
}

func printReport(b *strings.Builder, title string, r Report) {
	fmt.Fprintf(b, "%s: %d pictures\n", title, r.N)
	fmt.Fprintf(b, "accuracy %s, macro recall %s, macro F1 %s, expected calibration error %.3f\n\n",
		percent(r.Accuracy), percent(r.MacroRecall), percent(r.MacroF1), r.ECE)
	width := len("class")
	for _, c := range r.PerClass {
		width = max(width, len(c.Label))
	}
	fmt.Fprintf(b, "%-*s  %8s  %8s  %9s  said:", width, "class", "pictures", "recall", "precision")
	for _, c := range r.PerClass {
		fmt.Fprintf(b, " %*s", max(5, len(c.Label)), c.Label)
	}
	fmt.Fprintln(b)
	for i, c := range r.PerClass {
		fmt.Fprintf(b, "%-*s  %8d  %8s  %9s       ", width, c.Label, c.N, optional(c.Recall), optional(c.Precision))
		for k, n := range r.Confusion[i] {
			fmt.Fprintf(b, " %*d", max(5, len(r.PerClass[k].Label)), n)
		}
		fmt.Fprintln(b)
	}
}

// shown is the number of pictures that are named of those left out. The JSON output names them all.
const shown = 5

func printLeftOut(b *strings.Builder, r *Result) {
	if r.LeftOut > 0 {
		fmt.Fprintf(b, "\npictures of classes that the model does not have, left out: %d\n", r.LeftOut)
	}
	if n := len(r.NoFace); n > 0 {
		fmt.Fprintf(b, "\npictures in which no face was found: %d (%s%s)\n", n,
			strings.Join(r.NoFace[:min(n, shown)], ", "), more(n))
	}
	if n := len(r.Unread); n > 0 {
		fmt.Fprintf(b, "\npictures that could not be read: %d\n", n)
		for _, u := range r.Unread[:min(n, shown)] {
			fmt.Fprintf(b, "  %s\n", u.Error)
		}
		if n > shown {
			fmt.Fprintf(b, "  and %d more; the JSON output names them all\n", n-shown)
		}
	}
}

func more(n int) string {
	if n <= shown {
		return ""
	}
	return fmt.Sprintf(" and %d more; the JSON output names them all", n-shown)
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }

func optional(share *float64) string {
	if share == nil {
		return "–"
	}
	return percent(*share)
}
