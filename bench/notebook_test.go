package main

import (
	"strings"
	"testing"
)

func TestWayTable(t *testing.T) {
	ways := []*notebookWay{
		{name: "python", runs: []waySpeed{{100, 2, 900}, {100, 1, 800}, {100, 3, 1000}}},
		{name: "ours", goal: 15, runs: []waySpeed{{100, 30, 50}, {100, 40, 40}, {100, 20, 60}}},
		{name: "the same", goal: 4.5, runs: []waySpeed{{100, 8, 200}, {100, 8, 200}, {100, 10, 200}}},
	}
	text := wayTable(ways)
	for _, want := range []string{"| python | 100 | 2.0 | 1.0 – 3.0 | 1.0 | – | 900.0 |\n",
		"| ours | 100 | 30.0 | 20.0 – 40.0 | 15.0 | 15.0 | 50.0 |\n",
		"| the same | 100 | 8.0 | 8.0 – 10.0 | 4.0 | 4.5 | 200.0 |\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	const want = "the same is 4.0 times as fast as the notebook, the goal is 4.5"
	if err := missedGoals(ways); err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
	if err := missedGoals(ways[:2]); err != nil {
		t.Error(err)
	}
}
