package loadtest

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// counted is a session with labels that each took as long, of which the first of every lost was lost as well.
func counted(labels int, delay time.Duration, lost uint64) *tally {
	t := &tally{labels: labels}
	for i := range labels {
		t.delays.add(delay)
		t.seqs.add(uint64(i))
	}
	t.seqs.add(uint64(labels) + lost)
	t.labels++
	t.delays.add(delay)
	return t
}

func TestSummary(t *testing.T) {
	const us = time.Microsecond
	r := summary([]*tally{counted(99, 100*us, 2), counted(49, 200*us, 0)}, nil, 10*time.Second)
	if r.Seconds != 10 || r.Overall.Rate != 7.5 || r.Overall.Lost != 2 || *r.Overall.P50 != 0.1 ||
		*r.Overall.P95 != 0.2 {
		t.Errorf("overall %+v", r.Overall)
	}
	if a, b := r.Sessions[0], r.Sessions[1]; a.Rate != 10 || a.Lost != 2 || *a.P99 != 0.1 || b.Rate != 5 ||
		b.Lost != 0 ||
		*b.P50 != 0.2 {
		t.Errorf("sessions %+v", r.Sessions)
	}
}

func TestCheck(t *testing.T) {
	const ms = time.Millisecond
	fine := summary([]*tally{counted(99, 100*ms, 0), counted(79, 100*ms, 0)}, nil, 10*time.Second)
	for _, row := range []struct {
		name   string
		result *Result
		limits Limits
		want   []string
	}{
		{"no limits", fine, Limits{}, nil},
		{"kept", fine, Limits{MaxP95: 101, MinRate: 8}, nil},
		{"too slow", fine, Limits{MaxP95: 99}, []string{"MaxP95 99: the 95th percentile is"}},
		{"too few for one", fine, Limits{MinRate: 8.5},
			[]string{"MinRate 8.5: the slowest session got 8.00 labels a second"}},
		{"both", fine, Limits{MaxP95: 50, MinRate: 20}, []string{"MaxP95 50", "MinRate 20"}},
		{"nothing came", summary([]*tally{{}}, nil, time.Second), Limits{}, []string{"no label came"}},
		{"a failure", summary([]*tally{counted(9, ms, 0)}, []Failure{{2, true, "full"}}, time.Second), Limits{},
			[]string{"session 2 was refused: full"}},
		{"nothing but failures", summary(nil, []Failure{{1, false, "shutdown"}}, 0), Limits{MinRate: 1},
			[]string{"session 1 ended early: shutdown", "no label came"}},
	} {
		err := row.result.Check(row.limits)
		if (err == nil) != (row.want == nil) {
			t.Errorf("%s: %v", row.name, err)
		}
		for _, want := range row.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q in it", row.name, err, want)
			}
		}
	}
}

func TestJSON(t *testing.T) {
	text, err := json.Marshal(summary([]*tally{counted(9, time.Millisecond, 0), {}}, nil, time.Second))
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		Overall  map[string]any
		Sessions []map[string]any
		Failed   []any
		Minutes  []any
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	want := []string{"age_p50_ms", "age_p95_ms", "labels_per_second_per_session", "lost", "p50_ms", "p95_ms", "p99_ms"}
	for _, f := range append(r.Sessions, r.Overall) {
		if keys := slices.Sorted(maps.Keys(f)); !slices.Equal(keys, want) {
			t.Errorf("keys %v, want %v", keys, want)
		}
	}
	if len(r.Sessions) != 2 || r.Sessions[1]["p95_ms"] != nil || r.Sessions[1]["lost"] != 0.0 ||
		r.Sessions[1]["age_p50_ms"] != nil ||
		r.Failed == nil ||
		r.Minutes == nil {
		t.Errorf("%s", text)
	}
}

func TestTable(t *testing.T) {
	var out strings.Builder
	first := counted(99, 100*time.Microsecond, 2)
	first.session = 1
	for age := range 100 {
		first.ages.addMS(float64(age) / 100)
	}
	r := summary([]*tally{first, {session: 4}}, []Failure{{3, true, "full"}}, 10*time.Second)
	r.SentLateMS = 21
	if err := r.Table(&out); err != nil {
		t.Fatal(err)
	}
	want := `  session  p50 ms  p95 ms  p99 ms  age p50  age p95  labels/s  lost
        1     0.1     0.1     0.1      0.5      0.9     10.00     2
        4       –       –       –        –        –      0.00     0
  overall     0.1     0.1     0.1      0.5      0.9      5.00     2
session 3 was refused: full
this machine was short of processor time for the test itself: 5 % of the frames left it 21 ms late or more
10.0 s counted
`
	if got := out.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
