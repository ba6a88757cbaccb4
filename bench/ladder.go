package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"mindflow/bench/doctable"
	"mindflow/bench/process"
)

// The ladder ends with the rung where the 95th percentile over all sessions is more milliseconds, or where a session
// gets fewer labels a second.
const (
	maxP95  = 200
	minRate = 5
)

var rungs = []int{1, 2, 4, 8, 12, 16, 24, 32, 40, 48, 64, 80, 96, 128}

// ladderPlan holds what the ladder's and the soak's flags set.
type ladderPlan struct {
	process.Inputs
	duration time.Duration // that is counted, of each rung
	write    bool
	serve    []string // flags of mindflow serve
}

// parse adds the flags that both have to those of one, and parses them.
func (p *ladderPlan) parse(flags *flag.FlagSet, args []string, duration time.Duration) error {
	p.AddFlags(flags)
	flags.DurationVar(&p.duration, "duration", duration, "time that is counted for each number of sessions")
	doctable.AddWriteFlag(flags, &p.write)
	if err := flags.Parse(args); err != nil {
		return err
	}
	p.serve = flags.Args()
	return p.CheckClip()
}

// runLadder measures how many sessions this machine serves. It adds sessions until labels come too late or too seldom.
// Each rung has a `mindflow serve` of its own. `mindflow loadtest` publishes to it on loopback, on the same processors.
func runLadder(ctx context.Context, flags *flag.FlagSet, args []string) error {
	var p ladderPlan
	most := flags.Int("most", rungs[len(rungs)-1], "sessions at which the ladder ends in any case")
	if err := p.parse(flags, args, 12*time.Second); err != nil {
		return err
	}
	if *most < 1 || p.duration < time.Second {
		return errors.New("use -most of 1 or more, -duration of 1s or more")
	}
	command := "make bench"
	if !p.write || len(p.serve) > 0 {
		command = doctable.Command("ladder", p.serve)
	}
	text := fmt.Sprintf("%s, %s; %v a rung.\n\n", doctable.Measured(command), doctable.Load(), p.duration) + rungHeader
	fmt.Print(text)
	var first *rung
	for _, n := range rungs {
		if n > *most {
			break
		}
		r, err := p.measure(ctx, n)
		if err != nil {
			return fmt.Errorf("%d sessions: %w", n, err)
		}
		if first == nil {
			first = r
		}
		row := r.row(first)
		fmt.Print(row)
		text += row
		if r.overloaded() {
			break
		}
	}
	if !p.write {
		return nil
	}
	return doctable.Write("ladder", text)
}
