package throughput

import (
	"fmt"
	"io"
	"strings"
)

// Table writes the result as Markdown.
func (r Result) Table(out io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s on %s, %s", r.Model, r.Device, r.Library)
	if r.Device == "cpu" {
		fmt.Fprintf(&b, ", %d threads a batch, %d processors", r.Threads, Processors())
	}
	if r.Flops > 0 {
		fmt.Fprintf(&b, ", %.3g GFLOP a face", float64(r.Flops)/1e9)
	}
	b.WriteString("\n\n| device | precision | batch | ms, median | ms, 95th percentile | faces a second | in flight " +
		"| faces a second then | share of limit | joule a face | largest difference from the CPU | same label |\n")
	b.WriteString("|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, row := range r.Rows {
		fmt.Fprintf(&b, "| %s | %s | %d | %.2f | %.2f | %.0f | %d | %.0f | %s | %s | %.2g | %.0f %% |\n", r.Device,
			row.Precision, row.Batch, row.Median, row.P95, row.Alone,
			row.InFlight, row.Together, known(row.Share, "%.0f %%", 100), known(row.Joule, "%.3f", 1), row.Apart,
			100*row.Same)
	}
	if len(r.Limits) > 0 {
		b.WriteString("\nLimit, by products of large matrices:")
		for i, l := range r.Limits {
			if i > 0 {
				b.WriteString(",")
			}
			fmt.Fprintf(&b, " %.0f GFLOP a second in %s (side %d)", l.Gflops, l.Precision, l.Side)
		}
		b.WriteString(".\n")
	}
	for _, s := range r.Skipped {
		fmt.Fprintf(&b, "%s skipped: %s\n", s.Precision, strings.ReplaceAll(s.Why, "\n", ", "))
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// known returns a value, or a dash for zero.
func known(v float64, format string, times float64) string {
	if v == 0 {
		return "–"
	}
	return fmt.Sprintf(format, v*times)
}
