package churn

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"mindflow/bench/process"
)

const (
	tolerance = 0.05            // share of the baseline by which a value may be larger
	settle    = 2 * time.Minute // longest time for values to come back
)

// state holds what a server holds at one moment.
type state struct {
	goroutines, sockets, files float64
	rss, heap                  float64 // bytes
	sessions, objects          float64
	ended                      map[string]float64 // sessions so far, by reason
}

func readState(server *process.Server) (*state, error) {
	heap, err := server.Collect()
	if err != nil {
		return nil, err
	}
	v, err := server.Metrics()
	if err != nil {
		return nil, err
	}
	sockets, err := server.Sockets()
	if err != nil {
		return nil, err
	}
	s := &state{
		goroutines: v["go_goroutines"], sockets: float64(sockets), files: v["process_open_fds"],
		rss: v["process_resident_memory_bytes"], heap: heap,
		sessions: v["mindflow_sessions"], ended: map[string]float64{},
	}
	for name, n := range v {
		switch {
		case strings.HasPrefix(name, "mindflow_c_objects{"):
			s.objects += n
		case strings.HasPrefix(name, `mindflow_sessions_ended_total{reason="`) && n > 0:
			s.ended[strings.TrimSuffix(strings.TrimPrefix(name, `mindflow_sessions_ended_total{reason="`), `"}`)] = n
		}
	}
	return s, nil
}

// settled waits until all sessions have ended, which takes the server 15 s for one whose publisher is gone, and until
// the rest is what it was before; at most for the time settle. With a nil before it waits until goroutines and sockets
// no longer change.
func settled(ctx context.Context, server *process.Server, before *state) (s *state, err error) {
	last, deadline := &state{}, time.Now().Add(settle)
	for {
		if s, err = readState(server); err != nil {
			return nil, err
		}
		calm := s.sessions == 0 && s.objects == 0
		if before == nil {
			calm = calm && s.goroutines == last.goroutines && s.sockets == last.sockets
		} else {
			calm = calm && s.check(before) == nil
		}
		if calm || time.Now().After(deadline) {
			return s, nil
		}
		last = s
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(2 * time.Second):
		}
	}
}

// row is one value before and after.
type row struct {
	name          string
	before, after float64
	unit          float64 // that the value is printed in
	exact         bool    // no tolerance
	more          float64 // allowed beyond the tolerance, where five per cent are less than one
}

func rows(before, after *state) []row {
	return []row{
		{"sessions", before.sessions, after.sessions, 1, true, 0},
		{"objects in C", before.objects, after.objects, 1, true, 0},
		{"goroutines", before.goroutines, after.goroutines, 1, false, 1},
		{"sockets", before.sockets, after.sockets, 1, false, 0},
		{"open files", before.files, after.files, 1, false, 0},
		{"memory in all (RSS), MB", before.rss, after.rss, 1e6, false, 0},
		{"Go's heap after a collection, MB", before.heap, after.heap, 1e6, false, 0},
	}
}

// fits reports whether a value has come back. A larger value is a leak, a smaller one is not.
func (r row) fits() bool {
	if r.exact {
		return r.before == r.after
	}
	return r.after <= r.before*(1+tolerance)+r.more
}

func (s *state) check(before *state) (err error) {
	for _, r := range rows(before, s) {
		if !r.fits() {
			err = errors.Join(err, fmt.Errorf("%s: %.4g before, %.4g after", r.name, r.before/r.unit, r.after/r.unit))
		}
	}
	return err
}

// check compares each state with the first.
func check(states []*state) (err error) {
	for i := 1; i < len(states); i++ {
		if failed := states[i].check(states[0]); failed != nil {
			err = errors.Join(err, fmt.Errorf("round %d: %w", i, failed))
		}
	}
	return err
}

// table returns a table with a column for each state, and for its change since the first.
func table(states []*state) string {
	text, line := "| what | before |", "|---|---|"
	for i := 1; i < len(states); i++ {
		text += fmt.Sprintf(" after round %d | change |", i)
		line += "---|---|"
	}
	text += "\n" + line + "\n"
	for k, first := range rows(states[0], states[0]) {
		text += fmt.Sprintf("| %s | %s |", first.name, number(first.before/first.unit))
		for i := 1; i < len(states); i++ {
			r := rows(states[0], states[i])[k]
			change := "–"
			if r.before > 0 {
				change = fmt.Sprintf("%+.1f %%", 100*(r.after-r.before)/r.before)
			}
			text += fmt.Sprintf(" %s | %s |", number(r.after/r.unit), change)
		}
		text += "\n"
	}
	return text
}

func number(v float64) string {
	if v == math.Trunc(v) {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.1f", v)
}

// ends returns how many sessions ended since before, by the reason in the server's metrics.
func (s *state) ends(before *state) string {
	var parts []string
	for why, n := range s.ended {
		if n -= before.ended[why]; n > 0 {
			parts = append(parts, fmt.Sprintf("%.0f `%s`", n, why))
		}
	}
	slices.Sort(parts)
	return "The server ended them as " + strings.Join(parts, ", ") + "."
}
