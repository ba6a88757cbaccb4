package main

import "testing"

// TestDetectorTable holds the table's form, which models/README.md takes as it is printed.
func TestDetectorTable(t *testing.T) {
	want := "| detector | found | extra | ms per 640×480 frame | CPU ms |\n|---|---|---|---|---|\n" +
		"| `yunet` | 42 of 43 | 1 | 8.8 | 10.0 |\n"
	if got := detectorTable([]detectorRow{{"yunet", 43, 42, 1, 8.84, 9.96}}); got != want {
		t.Errorf("got %s", got)
	}
}
