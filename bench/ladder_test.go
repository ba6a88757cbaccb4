package main

import (
	"strings"
	"testing"
	"time"

	"mindflow/bench/process"
	"mindflow/server/loadtest"
)

// measuredRung returns a rung of n sessions with the same figures.
func measuredRung(n int, p50, p95, rate float64, bytes int64) *rung {
	began := time.Now()
	f := loadtest.Figures{P50: &p50, P95: &p95, P99: &p95, AgeP50: &p50, Rate: rate}
	r := &rung{n, &loadtest.Result{Began: began, Seconds: 120, Overall: f}, process.Usage{RSS: 90e6}, nil}
	for range n {
		r.result.Sessions = append(r.result.Sessions, f)
	}
	for i := range 120 {
		at := time.Duration(i) * time.Second
		r.usage = append(r.usage, process.Usage{At: began.Add(at), CPU: at / 2, RSS: bytes + int64(i)*1e6})
	}
	for i := range 2 {
		minute := p50 + float64(i)
		r.result.Minutes = append(r.result.Minutes, loadtest.Minute{P50: &minute, P95: &p95, Rate: rate})
	}
	return r
}

func TestRungRow(t *testing.T) {
	first, fourth := measuredRung(1, 10, 20, 30, 100e6), measuredRung(4, 10, 20, 29, 130e6)
	want := "| 1 | 30.0 | 30.0 | 10.0 | 20.0 | 20.0 | 10.0 | 0 | 0.0 | 0.50 | 90 | 219 | – |\n"
	if got := first.row(first); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	want = "| 4 | 29.0 | 29.0 | 10.0 | 20.0 | 20.0 | 10.0 | 0 | 0.0 | 0.50 | 90 | 249 | 10.0 |\n"
	if got := fourth.row(first); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if columns := strings.Count(first.row(first), "|"); strings.Count(rungHeader, "|") != 2*columns {
		t.Errorf("%d columns do not fit the header", columns)
	}
}

// TestOverloaded ends the ladder where labels come too late, too seldom for one session, or not at all.
func TestOverloaded(t *testing.T) {
	for _, row := range []struct {
		p95, rate float64
		want      bool
	}{{200, 5, false}, {201, 5, true}, {200, 4.9, true}} {
		r := measuredRung(3, 10, row.p95, 30, 0)
		r.result.Sessions[1].Rate = row.rate
		if r.overloaded() != row.want {
			t.Errorf("%+v", row)
		}
	}
	none := measuredRung(1, 0, 0, 30, 0)
	none.result.Overall.P95 = nil
	if !none.overloaded() {
		t.Error("no label is no overload")
	}
}

func TestSoakMinutes(t *testing.T) {
	text := measuredRung(4, 10, 20, 30, 100e6).minutes()
	for _, want := range []string{"| 1 | 30.0 | 10.0 | 20.0 | 0.50 | 160 |\n",
		"| 2 | 30.0 | 11.0 | 20.0 | 0.50 | 219 |\n",
		"+1.00 ms a minute (least squares over 2 minutes)", "100 MB at the start and 219 MB at the end"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

func TestMedianSlope(t *testing.T) {
	minutes := func(values ...float64) (m []loadtest.Minute) {
		for i := range values {
			m = append(m, loadtest.Minute{P50: &values[i]})
		}
		return m
	}
	for _, row := range []struct {
		minutes []loadtest.Minute
		want    float64
		ok      bool
	}{
		{minutes(5, 7, 9), 2, true},
		{minutes(5, 4, 3, 2), -1, true},
		{minutes(1, 3, 2), 0.5, true},
		{minutes(5), 0, false},
		{nil, 0, false},
		{[]loadtest.Minute{{}, {}}, 0, false},
	} {
		if got, ok := medianSlope(row.minutes); ok != row.ok || ok && got != row.want {
			t.Errorf("%v, %v, want %v, %v", got, ok, row.want, row.ok)
		}
	}
}

// TestSteadiness fails a soak whose memory or latency grow after the warm-up.
func TestSteadiness(t *testing.T) {
	soaked := func(rise func(minute int) float64, ms func(minute int) float64) steadiness {
		r := measuredRung(1, 10, 20, 30, 0)
		r.usage, r.result.Minutes = nil, nil
		for i := range 20 * 60 {
			at := r.result.Began.Add(time.Duration(i) * time.Second)
			r.usage = append(r.usage, process.Usage{At: at, RSS: int64(400e6 + 1e6*rise(i/60))})
		}
		for i := range 20 {
			p50 := ms(i)
			r.result.Minutes = append(r.result.Minutes, loadtest.Minute{P50: &p50})
		}
		return r.steadiness(20 * time.Minute)
	}
	flat := func(int) float64 { return 0 }
	still := func(int) float64 { return 40 }
	warmingMB := func(m int) float64 { return 20 * float64(min(m, 5)) }
	warmingMS := func(m int) float64 { return 40 + 9*float64(max(0, 5-m)) }
	for name, row := range map[string]struct {
		v    steadiness
		want string
	}{
		"steady":         {soaked(flat, func(m int) float64 { return 40 + float64(m%3) }), ""},
		"while it warms": {soaked(warmingMB, warmingMS), ""},
		"memory":         {soaked(func(m int) float64 { return 1.5 * float64(m) }, still), "memory grows by 1.4"},
		"latency":        {soaked(flat, func(m int) float64 { return 40 + float64(m) }), "the median grew from"},
	} {
		err := row.v.check()
		if (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v: %v", name, err, row.v)
		}
	}
}
