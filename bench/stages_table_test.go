package main

import (
	"strings"
	"testing"
)

func TestStageTable(t *testing.T) {
	in := `goos: linux
BenchmarkDecode-2   	 100	  400000 ns/op	  16 B/op	   1 allocs/op
BenchmarkDecode-2   	 100	  600000 ns/op	  18 B/op	   1 allocs/op
BenchmarkDecode-2   	 100	  500000 ns/op	  17 B/op	   1 allocs/op
BenchmarkWhole/one_face-2   	 100	  20000000 ns/op	 12.5 labels/s	  64 B/op	   3 allocs/op
PASS`
	names, results, err := parseStages(strings.NewReader(in))
	if err != nil {
		t.Fatal(err)
	}
	got := stageTable(names, results)
	for _, want := range []string{
		"| Decode | 0.50 | 0.40 – 0.60 | 17 | 1 |",
		"| Whole/one face | 20.00 | 20.00 – 20.00 | 64 | 3 |",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no row %q in\n%s", want, got)
		}
	}
}

func TestStagesWantMemory(t *testing.T) {
	if _, _, err := parseStages(strings.NewReader("BenchmarkDecode-2   	 100	  400000 ns/op\n")); err == nil {
		t.Error("a result without -benchmem was taken")
	}
}
