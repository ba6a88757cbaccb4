// Package doctable writes what was measured into the tables of docs, with the date, the machine and the command.
package doctable

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"mindflow/pipeline/testkit"
)

// AddWriteFlag adds -write.
func AddWriteFlag(flags *flag.FlagSet, write *bool) {
	flags.BoolVar(write, "write", false, "write the table into the page of docs that has its marks")
}

// Write replaces the text between the marks `<!-- NAME: written by … -->` and `<!-- end of NAME -->`, in the page of
// docs that has them. Long lines of prose are wrapped.
func Write(name, text string) error {
	page, err := find(testkit.Root(), name)
	if err != nil {
		return err
	}
	old, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	changed, err := replace(string(old), name, text)
	if err != nil {
		return fmt.Errorf("%s: %w", page, err)
	}
	if err := os.WriteFile(page, []byte(changed), 0o644); err != nil {
		return err
	}
	fmt.Println("wrote", page)
	return nil
}

// find returns the page that has the begin mark of a table.
func find(root, name string) (string, error) {
	for _, pattern := range []string{"docs/measurements/*.md", "docs/*.md"} {
		pages, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return "", err
		}
		for _, page := range pages {
			text, err := os.ReadFile(page)
			if err != nil {
				return "", err
			}
			if strings.Contains(string(text), beginMark(name)) {
				return page, nil
			}
		}
	}
	return "", fmt.Errorf("no page below docs has the mark %q", beginMark(name)+"… -->")
}

func beginMark(name string) string { return "<!-- " + name + ": written by " }

func replace(page, name, text string) (string, error) {
	begin, end := beginMark(name), "<!-- end of "+name+" -->"
	before, rest, found := strings.Cut(page, begin)
	by, rest, named := strings.Cut(rest, " -->\n")
	_, after, closed := strings.Cut(rest, end)
	if !found || !named || !closed {
		return "", fmt.Errorf("the marks %q and %q are not both there", begin+"… -->", end)
	}
	return before + begin + by + " -->\n" + wrap(strings.TrimRight(text, "\n")) + "\n" + end + after, nil
}

// width is the columns of docs' prose, which `make lint-lines` checks. Rows of tables may be longer.
const width = 120

// wrap breaks lines of prose at width.
func wrap(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "|") {
			lines = append(lines, line)
			continue
		}
		start := len(lines)
		for word := range strings.FieldsSeq(line) {
			last := len(lines) - 1
			if last >= start && utf8.RuneCountInString(lines[last])+1+utf8.RuneCountInString(word) <= width {
				lines[last] += " " + word
			} else {
				lines = append(lines, word)
			}
		}
		if len(lines) == start {
			lines = append(lines, "")
		}
	}
	return strings.Join(lines, "\n")
}

// Command returns the command that repeats a measurement. The arguments of mindflow come after `--`.
func Command(measurement string, mindflow []string, flags ...string) string {
	words := append([]string{"go run ./bench", measurement}, flags...)
	if len(mindflow) > 0 {
		words = append(append(words, "--"), mindflow...)
	}
	return strings.Join(words, " ")
}

// Measured returns how a table begins: when, on what machine and by which command it was measured.
func Measured(command string) string {
	return fmt.Sprintf("Measured %s on %s with `%s`", time.Now().UTC().Format("2006-01-02"), machine(), command)
}

func machine() string {
	model := runtime.GOARCH
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, after, ok := strings.Cut(string(info), "model name\t: "); ok {
			model, _, _ = strings.Cut(after, "\n")
		}
	}
	return fmt.Sprintf("%d cores (%s), %s", runtime.NumCPU(), strings.TrimSpace(model), runtime.Version())
}

// Load returns the machine's load before a measurement, such as "load 0.12 before": the mean number of processes that
// ran or waited for a processor in the last minute.
func Load() string {
	text, err := os.ReadFile("/proc/loadavg")
	minute, _, ok := strings.Cut(string(text), " ")
	if err != nil || !ok {
		return "load before unknown"
	}
	return "load " + minute + " before"
}

// Median returns the middle of values, or the mean of the two in the middle.
func Median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}
