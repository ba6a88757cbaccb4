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
	idle     process.Usage   // of the server, before the first session
	usage    []process.Usage // while labels were counted
}

// rung measures a new server with n sessions. A server that is overloaded is no error; one that fails is.
func (p *plan) rung(ctx context.Context, n int) (r *rung, err error) {
	if err := p.found(); err != nil {
		return nil, err
	}
	server, err := process.Serve(ctx, p.binary, append([]string{"--max-sessions", strconv.Itoa(n)}, p.serve...)...)
	if err != nil {
		return nil, err
	}
	defer func() {
		if failed := server.Stop(); err == nil {
			err = failed
		}
	}()
	stop := server.Watch()
	result, err := process.LoadTest(ctx, p.binary, server.URL, p.clip, n, p.duration)
	seen := stop()
	if result == nil || ctx.Err() != nil {
		return nil, errors.Join(err, server.Alive())
	}
	if len(result.Failed) > 0 {
		return nil, fmt.Errorf("%d sessions failed: %v", len(result.Failed), result.Failed[0])
	}
	if len(seen) == 0 {
		return nil, errors.Join(errors.New("the server's use of the machine is unknown"), server.Alive())
	}
	r = &rung{n, result, seen[0], process.Within(seen, result.Began, time.Duration(result.Seconds*float64(time.Second)))}
	if len(r.usage) < 2 {
		return nil, errors.Join(errors.New("the server's use of the machine is unknown"), server.Alive())
	}
	return r, nil
}

// slowest is the rate of the session that got fewest labels.
func (r *rung) slowest() float64 {
	slowest := r.result.Sessions[0].Rate
	for _, s := range r.result.Sessions {
		slowest = min(slowest, s.Rate)
	}
	return slowest
}

// tooMuch says whether more sessions are of no use.
func (r *rung) tooMuch() bool {
	return r.result.Overall.P95 == nil || *r.result.Overall.P95 > maxP95 || r.slowest() < minRate
}

const header = `| sessions | labels/s a session | slowest session | p50 ms | p95 ms | p99 ms | age of scores, median ms | lost | tester late, p95 ms | server CPU s/s | server MB, with none | with all | MB a session beyond the first |
|---|---|---|---|---|---|---|---|---|---|---|---|---|
`

// row is a line of the table. Memory is what the server held before the first session and at the end. What it holds without any differs by
// tens of megabytes from start to start, so sessions are counted by what comes on top of it.
func (r *rung) row(first *rung) string {
	o, beyond := r.result.Overall, "–"
	if r.sessions > first.sessions {
		beyond = fmt.Sprintf("%.1f", (r.grown()-first.grown())/float64(r.sessions-first.sessions))
	}
	return fmt.Sprintf("| %d | %.1f | %.1f | %s | %s | %s | %s | %d | %.1f | %.2f | %.0f | %.0f | %s |\n", r.sessions, o.Rate, r.slowest(),
		shown(o.P50), shown(o.P95), shown(o.P99), shown(o.AgeP50), o.Lost, r.result.SentLateMS, process.Load(r.usage), megabytes(r.idle), r.megabytes(), beyond)
}

func (r *rung) megabytes() float64 { return megabytes(r.usage[len(r.usage)-1]) }

// grown is by how much sessions made the server larger, in megabytes.
func (r *rung) grown() float64 { return r.megabytes() - megabytes(r.idle) }

func megabytes(u process.Usage) float64 { return float64(u.RSS) / 1e6 }

func shown(ms *float64) string {
	if ms == nil {
		return "–"
	}
	return fmt.Sprintf("%.1f", *ms)
}
