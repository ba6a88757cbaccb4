// Report reads the output of `go test -bench` and writes the medians into docs/performance.md,
// between its two marks, with the machine they were measured on.
//
//	go test -run '^$' -bench . -benchmem -count 6 ./bench | go run ./bench/report
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	page  = "docs/performance.md"
	begin = "<!-- stages: written by make bench -->"
	end   = "<!-- end of stages -->"
)

func main() {
	if err := run(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

func run(in io.Reader) error {
	names, results, err := read(in)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return fmt.Errorf("no benchmark result in the input; did the benchmarks fail?")
	}
	old, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(old), begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return fmt.Errorf("%s has lost its marks %q and %q", page, begin, end)
	}
	text := before + begin + "\n" + table(names, results) + end + after
	if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
		return err
	}
	fmt.Println("wrote", page)
	return nil
}

// result holds one benchmark's runs.
type result struct{ ns, bytes, allocs []float64 }

var line = regexp.MustCompile(`^Benchmark(\S+?)(?:-\d+)?\s+\d+\s+([\d.]+) ns/op(?:.*?\s([\d.]+) B/op\s+([\d.]+) allocs/op)?`)

func read(in io.Reader) (names []string, results map[string]*result, err error) {
	results = map[string]*result{}
	scanner := bufio.NewScanner(in)
	for scanner.Scan() {
		m := line.FindStringSubmatch(scanner.Text())
		if m == nil {
			continue
		}
		r := results[m[1]]
		if r == nil {
			r = &result{}
			results[m[1]] = r
			names = append(names, m[1])
		}
		for i, to := range []*[]float64{&r.ns, &r.bytes, &r.allocs} {
			v, err := strconv.ParseFloat(m[2+i], 64)
			if err != nil {
				return nil, nil, fmt.Errorf("%q: run the benchmarks with -benchmem: %w", scanner.Text(), err)
			}
			*to = append(*to, v)
		}
	}
	return names, results, scanner.Err()
}

func table(names []string, results map[string]*result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Measured %s on %s with `make bench`; medians of %d runs.\n\n",
		time.Now().UTC().Format("2006-01-02"), machine(), len(results[names[0]].ns))
	b.WriteString("| stage | ms | fastest to slowest run | bytes | allocations |\n|---|---|---|---|---|\n")
	for _, name := range names {
		r := results[name]
		fmt.Fprintf(&b, "| %s | %.2f | %.2f – %.2f | %.0f | %.0f |\n", strings.ReplaceAll(name, "_", " "),
			median(r.ns)/1e6, slices.Min(r.ns)/1e6, slices.Max(r.ns)/1e6, median(r.bytes), median(r.allocs))
	}
	return b.String()
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
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
