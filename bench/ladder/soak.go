package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mindflow/bench/doctable"
	"mindflow/bench/process"
	"mindflow/server/loadtest"
)

// soak stays on one rung and says what changes.
func (p *plan) soak(ctx context.Context) error {
	if p.duration < 2*time.Minute {
		return errors.New("-sessions: use a -duration of 2m or more, so that minutes can be compared")
	}
	text := fmt.Sprintf("%s, %s.\n\n", doctable.Measured(p.command("")), doctable.Busy())
	r, err := p.rung(ctx, p.sessions)
	if err != nil {
		return err
	}
	text += r.minutes()
	v := r.steady(p.duration)
	text += v.String()
	fmt.Print(text)
	return errors.Join(p.end("soak", text), v.check())
}

// minutes is the table of a long rung, and what it comes to.
func (r *rung) minutes() string {
	text := "| minute | labels/s a session | p50 ms | p95 ms | server CPU s/s | server MB at its end |\n|---|---|---|---|---|---|\n"
	for i, m := range r.result.Minutes {
		seen := process.Within(r.usage, r.result.Began.Add(time.Duration(i)*time.Minute), time.Minute)
		text += fmt.Sprintf("| %d | %.1f | %s | %s |", i+1, m.Rate, shown(m.P50), shown(m.P95))
		if len(seen) == 0 {
			text += " – | – |\n"
			continue
		}
		text += fmt.Sprintf(" %.2f | %.0f |\n", process.Load(seen), megabytes(seen[len(seen)-1]))
	}
	first, o := r.usage[0], r.result.Overall
	text += fmt.Sprintf("\n%d sessions: the median is %s ms, the 95th percentile %s ms, the median age of scores %s ms, the slowest session has "+
		"%.1f labels a second; %d labels lost; frames left the tester %.1f ms late (p95). The server held %.0f MB at the start and %.0f MB at the end.",
		r.sessions, shown(o.P50), shown(o.P95), shown(o.AgeP50), r.slowest(), o.Lost, r.result.SentLateMS, megabytes(first), r.megabytes())
	if rise, ok := slope(r.result.Minutes); ok {
		text += fmt.Sprintf(" The median changes by %+.2f ms a minute (least squares over %d minutes).", rise, len(r.result.Minutes))
	}
	return text + "\n"
}

// slope is by how many milliseconds the median rises a minute, by least squares. ok is false where a minute had no
// labels, or where there is but one.
func slope(minutes []loadtest.Minute) (rise float64, ok bool) {
	n := float64(len(minutes))
	var meanY, xy, xx float64
	for _, m := range minutes {
		if m.P50 == nil {
			return 0, false
		}
		meanY += *m.P50 / n
	}
	for i, m := range minutes {
		x := float64(i) - (n-1)/2
		xy += x * (*m.P50 - meanY)
		xx += x * x
	}
	return xy / xx, xx > 0
}
