// Ladder says how many sessions this machine serves. For each of a rising number of them it starts a `mindflow serve` and
// drives it on loopback with `mindflow loadtest`, a process of its own on the same processors, until the labels come too late or
// too seldom.
//
//	go run ./bench/ladder [FLAGS] [-- FLAGS OF SERVE]
//
// With -sessions N it stays on one rung, for -duration, and says how that goes from minute to minute:
//
//	go run ./bench/ladder -sessions 24 -duration 30m
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
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

// plan is what the flags say.
type plan struct {
	binary, clip string
	sessions     int // 0 is the ladder
	most         int // of the ladder
	duration     time.Duration
	write        bool
	serve        []string // flags
}

func main() {
	process.Main("ladder", func(ctx context.Context) error {
		var p plan
		flag.StringVar(&p.binary, "binary", process.Binary(), "mindflow, a `file`")
		flag.StringVar(&p.clip, "clip", process.Clip(), "video `file` with a face")
		flag.IntVar(&p.sessions, "sessions", 0, "stay at so many sessions instead of adding more and more")
		flag.IntVar(&p.most, "most", rungs[len(rungs)-1], "sessions at which the ladder ends in any case")
		flag.DurationVar(&p.duration, "duration", 12*time.Second, "time that is counted, of each rung")
		flag.BoolVar(&p.write, "write", false, "write the table into "+doctable.Name)
		flag.Parse()
		p.serve = flag.Args()
		if p.sessions < 0 || p.most < 1 || p.duration < time.Second {
			return errors.New("use -sessions of 1 or more, -most of 1 or more, -duration of 1s or more")
		}
		if p.sessions > 0 {
			return p.soak(ctx)
		}
		return p.climb(ctx)
	})
}

// climb does rung by rung.
func (p *plan) climb(ctx context.Context) error {
	text := fmt.Sprintf("%s, %s; %v a rung.\n\n", doctable.Measured(p.command("make bench")), doctable.Busy(), p.duration) + header
	fmt.Print(text)
	var first *rung
	for _, n := range rungs {
		if n > p.most {
			break
		}
		r, err := p.rung(ctx, n)
		if err != nil {
			return fmt.Errorf("%d sessions: %w", n, err)
		}
		if first == nil {
			first = r
		}
		row := r.row(first)
		fmt.Print(row)
		text += row
		if r.tooMuch() {
			break
		}
	}
	return p.end("ladder", text)
}

// end writes what was printed into the page, where that is wanted.
func (p *plan) end(section, text string) error {
	if !p.write {
		return nil
	}
	return doctable.Write(section, text)
}

// command is how to repeat the measurement: by a target of the Makefile, where nothing was changed.
func (p *plan) command(target string) string {
	if p.write && len(p.serve) == 0 && p.sessions == 0 {
		return target
	}
	text := "go run ./bench/ladder"
	if p.sessions > 0 {
		text += " -sessions " + strconv.Itoa(p.sessions) + " -duration " + p.duration.String()
	}
	if len(p.serve) > 0 {
		text += " -- " + strings.Join(p.serve, " ")
	}
	return text
}

// found says that there is something to publish, before a server is started for it.
func (p *plan) found() error {
	if _, err := os.Stat(p.clip); err != nil {
		return fmt.Errorf("%w; name a video of a face by -clip", err)
	}
	return nil
}
