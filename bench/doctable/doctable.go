// Package doctable writes what was measured into docs/performance.md, between marks, with the machine it was measured on.
package doctable

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"mindflow/pipeline/testkit"
)

// Name is the page, from the project's folder.
const Name = "docs/performance.md"

// Write puts text between the page's marks of that name: `<!-- NAME: written by … -->` and `<!-- end of NAME -->`.
func Write(name, text string) error {
	path := filepath.Join(testkit.Root(), Name)
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	page, err := between(string(old), name, text)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
		return err
	}
	fmt.Println("wrote", Name)
	return nil
}

func between(page, name, text string) (string, error) {
	begin, end := "<!-- "+name+": written by ", "<!-- end of "+name+" -->"
	before, rest, found := strings.Cut(page, begin)
	by, rest, named := strings.Cut(rest, " -->\n")
	_, after, closed := strings.Cut(rest, end)
	if !found || !named || !closed {
		return "", fmt.Errorf("%s has lost its marks %q and %q; put them back", Name, begin+"… -->", end)
	}
	return before + begin + by + " -->\n" + strings.TrimRight(text, "\n") + "\n" + end + after, nil
}

// Measured is how a section begins: when, where and by which command.
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

// Busy says how busy the machine is with other things, for a measurement that is about to begin: "load 0.12 before". It
// is the mean number of processes that ran or wanted to in the last minute.
func Busy() string {
	text, err := os.ReadFile("/proc/loadavg")
	minute, _, ok := strings.Cut(string(text), " ")
	if err != nil || !ok {
		return "load before unknown"
	}
	return "load " + minute + " before"
}

// Median is the middle of values, or the mean of the two in the middle.
func Median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}
