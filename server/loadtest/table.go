package loadtest

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// tooLate is the delay of this machine's own, in milliseconds, from which the table has a warning.
const tooLate = 5

// Table writes the result for people.
func (r *Result) Table(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "session\tp50 ms\tp95 ms\tp99 ms\tage p50\tage p95\tlabels/s\tlost\t")
	row := func(name string, f *Figures) {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%.2f\t%d\t\n",
			name, shown(f.P50), shown(f.P95), shown(f.P99), shown(f.AgeP50), shown(f.AgeP95), f.Rate, f.Lost)
	}
	for i := range r.Sessions {
		row(fmt.Sprint(r.Sessions[i].session), &r.Sessions[i])
	}
	row("overall", &r.Overall)
	if err := w.Flush(); err != nil {
		return err
	}
	for _, f := range r.Failed {
		if _, err := fmt.Fprintln(out, f); err != nil {
			return err
		}
	}
	if r.SentLateMS > tooLate {
		_, err := fmt.Fprintf(out, "this machine was short of processor time for the test itself: "+
			"5 %% of the frames left it %.0f ms late or more\n", r.SentLateMS)
		if err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(out, "%.1f s counted\n", r.Seconds)
	return err
}

func shown(ms *float64) string {
	if ms == nil {
		return "–"
	}
	return fmt.Sprintf("%.1f", *ms)
}
