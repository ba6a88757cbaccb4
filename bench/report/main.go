// Report reads the output of `go test -bench` and writes the medians into docs/performance.md, between its marks.
//
//	go test -run '^$' -bench . -benchmem -count 6 ./bench | go run ./bench/report
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"mindflow/bench/doctable"
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
	return doctable.Write("stages", table(names, results))
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
	fmt.Fprintf(&b, "%s; medians of %d runs.\n\n", doctable.Measured("make bench"), len(results[names[0]].ns))
	b.WriteString("| stage | ms | fastest to slowest run | bytes | allocations |\n|---|---|---|---|---|\n")
	for _, name := range names {
		r := results[name]
		fmt.Fprintf(&b, "| %s | %.2f | %.2f – %.2f | %.0f | %.0f |\n", strings.ReplaceAll(name, "_", " "),
			doctable.Median(r.ns)/1e6, slices.Min(r.ns)/1e6, slices.Max(r.ns)/1e6, doctable.Median(r.bytes), doctable.Median(r.allocs))
	}
	return b.String()
}
