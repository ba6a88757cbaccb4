// Churn connects to a `mindflow serve` and leaves it again, over and over and in every way that visitors have, and says
// whether the server then holds what it held before: goroutines, sockets, memory, objects in C.
//
//	go run ./bench/churn [FLAGS] [-- FLAGS OF SERVE]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"mindflow/bench/doctable"
	"mindflow/bench/process"
	"mindflow/pipeline"
	"mindflow/pipeline/synthetic"
	"mindflow/server/loadtest"
)

const defaultConnects = 1000 // in a round

// plan is what the flags say.
type plan struct {
	binary   string
	connects int
	rounds   int
	warm     int
	atOnce   int
	write    bool
	heap     string   // folder; "" is none
	serve    []string // flags
}

func main() {
	process.Main("churn", func(ctx context.Context) error {
		var p plan
		flag.StringVar(&p.binary, "binary", process.Binary(), "mindflow, a `file`")
		flag.IntVar(&p.connects, "connects", defaultConnects, "sessions that are begun in a round, a third of which end abruptly")
		flag.IntVar(&p.rounds, "rounds", 2, "rounds: what grows with use grows in each, what is made once does not")
		flag.IntVar(&p.warm, "warm", 300, "sessions before those, as many at a time, after which the baseline is taken: what is made once is made by then")
		flag.IntVar(&p.atOnce, "at-once", 6, "sessions at a time")
		flag.BoolVar(&p.write, "write", false, "write the table into "+doctable.Name)
		flag.StringVar(&p.heap, "heap", "", "`folder` to leave round-0.pprof, round-1.pprof … in, profiles of the heap: go tool pprof -base tells what grew")
		flag.Parse()
		p.serve = flag.Args()
		if p.connects < 1 || p.rounds < 1 || p.warm < 0 || p.atOnce < 1 {
			return errors.New("use -connects of 1 or more, -rounds of 1 or more, -warm of 0 or more, -at-once of 1 or more")
		}
		return p.run(ctx)
	})
}

func (p *plan) run(ctx context.Context) (err error) {
	text := fmt.Sprintf("%s, %s.\n\n", doctable.Measured(p.command()), doctable.Busy())
	units, err := face(ctx)
	if err != nil {
		return err
	}
	server, err := process.Serve(ctx, p.binary, append([]string{"--admin", "127.0.0.1:0", "--max-sessions", "512"}, p.serve...)...)
	if err != nil {
		return err
	}
	defer func() {
		if failed := server.Stop(); err == nil {
			err = failed
		}
	}()
	v := visitors{binary: p.binary, url: server.URL, units: units}
	if _, err := p.come(ctx, v, "warming up", p.warm); err != nil {
		return err
	}
	states, sum, err := p.measure(ctx, server, v)
	if err != nil {
		return err
	}
	text += table(states) + "\n" + sum
	fmt.Print(text)
	if p.write {
		if err := doctable.Write("churn", text); err != nil {
			return err
		}
	}
	return check(states)
}

// measure has the rounds come and go. The states are those before, and after each round.
func (p *plan) measure(ctx context.Context, server *process.Server, v visitors) (states []*state, sum string, err error) {
	began := time.Now()
	var all tally
	for round := range p.rounds + 1 {
		var before *state
		if round > 0 {
			counts, err := p.come(ctx, v, fmt.Sprintf("connecting, round %d", round), p.connects)
			if err != nil {
				return nil, "", errors.Join(err, server.Alive())
			}
			all.merge(counts)
			before = states[0]
		}
		now, err := settled(ctx, server, before)
		if err != nil {
			return nil, "", err
		}
		states = append(states, now)
		if err := p.keep(round, server); err != nil {
			return nil, "", err
		}
	}
	sum = fmt.Sprintf("%d sessions in %v, %d at a time: %v. %s\n", p.rounds*p.connects, time.Since(began).Round(time.Second), p.atOnce, all,
		states[p.rounds].ends(states[0]))
	return states, sum, nil
}

// keep leaves a profile of the heap, where they are wanted.
func (p *plan) keep(round int, server *process.Server) error {
	if p.heap == "" {
		return nil
	}
	profile, err := server.Profile()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(p.heap, fmt.Sprintf("round-%d.pprof", round)), []byte(profile), 0o644)
}

// come has visitors come and go.
func (p *plan) come(ctx context.Context, v visitors, what string, n int) (counts tally, err error) {
	var mu sync.Mutex // guards counts, err and done
	done := 0
	next := make(chan int)
	var work sync.WaitGroup
	for range p.atOnce {
		work.Add(1)
		go func() {
			defer work.Done()
			for i := range next {
				how, failed := v.visit(ctx, i)
				mu.Lock()
				counts.add(how, failed)
				if failed != nil && err == nil {
					err = fmt.Errorf("visitor %d, %s: %w", i, how, failed)
				}
				if done++; done%50 == 0 || done == n {
					fmt.Printf("%s: %d of %d\n", what, done, n)
				}
				mu.Unlock()
			}
		}()
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		next <- i
	}
	close(next)
	work.Wait()
	return counts, errors.Join(ctx.Err(), err)
}

func (p *plan) command() string {
	if p.write && len(p.serve) == 0 {
		text := "make bench-churn"
		if p.connects != defaultConnects {
			text += fmt.Sprintf(" CONNECTS=%d", p.connects)
		}
		return text
	}
	text := fmt.Sprintf("go run ./bench/churn -connects %d -rounds %d", p.connects, p.rounds)
	if len(p.serve) > 0 {
		text += " -- " + strings.Join(p.serve, " ")
	}
	return text
}

// face is what is published: two seconds of a drawn face.
func face(ctx context.Context) ([]pipeline.Unit, error) {
	c := loadtest.Coding{Width: 160, Height: 120, Rate: 15, Bitrate: 200_000}
	film := synthetic.NewVideo(c.Width, c.Height, c.Rate, 2*time.Second)
	return loadtest.Code(ctx, film, c, func(int) {})
}
