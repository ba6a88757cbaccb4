package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"mindflow/bench/doctable"
	"mindflow/pipeline/testkit"
)

const stageRuns = 6

// runStages measures each stage of the pipeline on real streams and models. It runs the benchmarks of this package and
// prints the table of their medians.
func runStages(ctx context.Context, flags *flag.FlagSet, args []string) error {
	var write bool
	runs := flags.Int("runs", stageRuns, "times that each benchmark runs")
	duration := flags.Duration("duration", time.Second, "time of each run")
	doctable.AddWriteFlag(flags, &write)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *runs < 1 || *duration <= 0 || flags.NArg() > 0 {
		return errors.New("use -runs of 1 or more, a -duration of more than 0, and no arguments")
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", ".", "-benchmem",
		"-count", strconv.Itoa(*runs), "-benchtime", duration.String(), "./bench")
	cmd.Dir, cmd.Stdout, cmd.Stderr = testkit.Root(), io.MultiWriter(os.Stderr, &out), os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("go test -bench: %w", err)
	}
	names, results, err := parseStages(&out)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return errors.New("the benchmarks gave no result; make build makes what they need")
	}
	command := "make bench"
	if !write || *runs != stageRuns {
		command = doctable.Command("stages", nil, "-runs", strconv.Itoa(*runs))
	}
	text := fmt.Sprintf("%s; medians of %d runs.\n\n", doctable.Measured(command), *runs) + stageTable(names, results)
	fmt.Print(text)
	if !write {
		return nil
	}
	return doctable.Write("stages", text)
}

// stageResult holds one benchmark's runs.
type stageResult struct{ ns, bytes, allocs []float64 }

var benchmarkLine = regexp.MustCompile(
	`^Benchmark(\S+?)(?:-\d+)?\s+\d+\s+([\d.]+) ns/op(?:.*?\s([\d.]+) B/op\s+([\d.]+) allocs/op)?`)

// parseStages reads the output of `go test -bench . -benchmem`. names are in the order of their first result.
func parseStages(in io.Reader) (names []string, results map[string]*stageResult, err error) {
	results = map[string]*stageResult{}
	scanner := bufio.NewScanner(in)
	for scanner.Scan() {
		m := benchmarkLine.FindStringSubmatch(scanner.Text())
		if m == nil {
			continue
		}
		r := results[m[1]]
		if r == nil {
			r = &stageResult{}
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

func stageTable(names []string, results map[string]*stageResult) string {
	var b strings.Builder
	b.WriteString("| stage | ms | fastest to slowest run | bytes | allocations |\n|---|---|---|---|---|\n")
	for _, name := range names {
		r := results[name]
		fmt.Fprintf(&b, "| %s | %.2f | %.2f – %.2f | %.0f | %.0f |\n",
			strings.ReplaceAll(name, "_", " "), doctable.Median(r.ns)/1e6, slices.Min(r.ns)/1e6,
			slices.Max(r.ns)/1e6, doctable.Median(r.bytes), doctable.Median(r.allocs))
	}
	return b.String()
}
