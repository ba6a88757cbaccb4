package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"mindflow/bench/process"
	"mindflow/server/loadtest"
)

// rung is what was measured with a number of sessions.
type rung struct {
	sessions int
	result   *loadtest.Result
	idle     process.Usage   // of the server before the first session
	usage    []process.Usage // while labels were counted
}

// measure measures a new server with n sessions. A server that is overloaded is no error; one that fails is.
func (p *ladderPlan) measure(ctx context.Context, n int) (r *rung, err error) {
	flags := append([]string{"--max-sessions", strconv.Itoa(n)}, p.serve...)
	err = process.WithServer(ctx, p.Binary, flags, func(server *process.Server) error {
		result, usage, err := server.LoadTest(ctx, p.Clip, n, p.duration)
		if err != nil {
			return err
		}
		counted := process.Within(usage, result.Began, time.Duration(result.Seconds*float64(time.Second)))
		if len(counted) < 2 {
			return errors.Join(errors.New("the server's use of the machine is unknown"), server.Alive())
		}
		r = &rung{n, result, usage[0], counted}
		return nil
	})
	return r, err
}

// slowest returns the rate of the session that got the fewest labels.
func (r *rung) slowest() float64 {
	slowest := r.result.Sessions[0].Rate
	for _, s := range r.result.Sessions {
		slowest = min(slowest, s.Rate)
	}
	return slowest
}

// overloaded reports whether the ladder ends here.
func (r *rung) overloaded() bool {
	return r.result.Overall.P95 == nil || *r.result.Overall.P95 > maxP95 || r.slowest() < minRate
}

const rungHeader = "| sessions | labels/s a session | slowest session | p50 ms | p95 ms | p99 ms " +
	"| age of scores, median ms | lost | tester late, p95 ms | server CPU s/s | server MB, with none | with all " +
	"| MB a session beyond the first |\n" +
	"|---|---|---|---|---|---|---|---|---|---|---|---|---|\n"

// row returns a line of the table. Its memory is what the server held before the first session and at the end. A server
// without sessions differs by tens of megabytes from start to start, so only the growth counts for a session.
func (r *rung) row(first *rung) string {
	o, beyond := r.result.Overall, "–"
	if r.sessions > first.sessions {
		beyond = fmt.Sprintf("%.1f", (r.grown()-first.grown())/float64(r.sessions-first.sessions))
	}
	return fmt.Sprintf("| %d | %.1f | %.1f | %s | %s | %s | %s | %d | %.1f | %.2f | %.0f | %.0f | %s |\n",
		r.sessions, o.Rate, r.slowest(), milliseconds(o.P50), milliseconds(o.P95), milliseconds(o.P99),
		milliseconds(o.AgeP50), o.Lost, r.result.SentLateMS, process.Load(r.usage),
		megabytes(r.idle), r.megabytes(), beyond)
}

func (r *rung) megabytes() float64 { return megabytes(r.usage[len(r.usage)-1]) }

// grown returns by how many megabytes the sessions made the server larger.
func (r *rung) grown() float64 { return r.megabytes() - megabytes(r.idle) }

func megabytes(u process.Usage) float64 { return float64(u.RSS) / 1e6 }

func milliseconds(ms *float64) string {
	if ms == nil {
		return "–"
	}
	return fmt.Sprintf("%.1f", *ms)
}
