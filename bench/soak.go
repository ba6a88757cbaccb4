package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"time"

	"mindflow/bench/doctable"
	"mindflow/bench/process"
	"mindflow/server/loadtest"
)

// runSoak keeps a number of sessions and compares the minutes. It fails when memory or latency grow.
func runSoak(ctx context.Context, flags *flag.FlagSet, args []string) error {
	var p ladderPlan
	sessions := flags.Int("sessions", 24, "sessions that publish")
	if err := p.parse(flags, args, 30*time.Minute); err != nil {
		return err
	}
	if *sessions < 1 || p.duration < 2*time.Minute {
		return errors.New("use -sessions of 1 or more, and a -duration of 2m or more, so that minutes can be compared")
	}
	command := doctable.Command("soak", p.serve, "-sessions", strconv.Itoa(*sessions), "-duration", p.duration.String())
	text := fmt.Sprintf("%s, %s.\n\n", doctable.Measured(command), doctable.Load())
	r, err := p.measure(ctx, *sessions)
	if err != nil {
		return err
	}
	v := r.steadiness(p.duration)
	text += r.minutes() + v.String()
	fmt.Print(text)
	if p.write {
		err = doctable.Write("soak", text)
	}
	return errors.Join(err, v.check())
}

// minutes returns the table of a long rung, and its summary.
func (r *rung) minutes() string {
	text := "| minute | labels/s a session | p50 ms | p95 ms | server CPU s/s | server MB at its end |\n" +
		"|---|---|---|---|---|---|\n"
	for i, m := range r.result.Minutes {
		usage := process.Within(r.usage, r.result.Began.Add(time.Duration(i)*time.Minute), time.Minute)
		text += fmt.Sprintf("| %d | %.1f | %s | %s |", i+1, m.Rate, milliseconds(m.P50), milliseconds(m.P95))
		if len(usage) == 0 {
			text += " – | – |\n"
			continue
		}
		text += fmt.Sprintf(" %.2f | %.0f |\n", process.Load(usage), megabytes(usage[len(usage)-1]))
	}
	first, o := r.usage[0], r.result.Overall
	text += fmt.Sprintf("\n%d sessions: the median is %s ms, the 95th percentile %s ms, "+
		"the median age of scores %s ms, the slowest session has %.1f labels a second; "+
		"%d labels lost; frames left the tester %.1f ms late (p95). "+
		"The server held %.0f MB at the start and %.0f MB at the end.",
		r.sessions, milliseconds(o.P50), milliseconds(o.P95), milliseconds(o.AgeP50), r.slowest(), o.Lost,
		r.result.SentLateMS, megabytes(first), r.megabytes())
	if rise, ok := medianSlope(r.result.Minutes); ok {
		text += fmt.Sprintf(" The median changes by %+.2f ms a minute (least squares over %d minutes).",
			rise, len(r.result.Minutes))
	}
	return text + "\n"
}

// medianSlope returns by how many milliseconds the median rises a minute, by least squares. ok is false when a minute
// had no labels, or there is only one.
func medianSlope(minutes []loadtest.Minute) (rise float64, ok bool) {
	var x, y []float64
	for i, m := range minutes {
		if m.P50 == nil {
			return 0, false
		}
		x, y = append(x, float64(i)), append(y, *m.P50)
	}
	if len(x) < 2 {
		return 0, false
	}
	return leastSquares(x, y), true
}

// leastSquares returns the slope of the line that fits y over x best.
func leastSquares(x, y []float64) float64 {
	n := float64(len(x))
	var meanX, meanY, xy, xx float64
	for i := range x {
		meanX += x[i] / n
		meanY += y[i] / n
	}
	for i := range x {
		xy += (x[i] - meanX) * (y[i] - meanY)
		xx += (x[i] - meanX) * (x[i] - meanX)
	}
	return xy / xx
}
