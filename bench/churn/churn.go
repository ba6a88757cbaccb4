// Package churn connects to a `mindflow serve` and leaves it, over and over and in every way that visitors leave, and
// compares what the server then holds with what it held before: goroutines, sockets, memory, objects in C.
package churn

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"mindflow/bench/doctable"
	"mindflow/bench/process"
	"mindflow/pipeline"
	"mindflow/pipeline/synthetic"
	"mindflow/server/loadtest"
)

const defaultConnects = 1000 // in a round

// plan holds what the flags set.
type plan struct {
	binary   string
	connects int
	rounds   int
	warm     int
	parallel int
	write    bool
	heap     string   // folder for heap profiles; empty means no profiles
	serve    []string // flags of mindflow serve
}

// Run has visitors come and go in rounds, and prints the table of what the server holds. It fails when something stays.
func Run(ctx context.Context, flags *flag.FlagSet, args []string) error {
	var p plan
	process.AddBinaryFlag(flags, &p.binary)
	flags.IntVar(&p.connects, "connects", defaultConnects, "sessions in a round, a third of which end abruptly")
	flags.IntVar(&p.rounds, "rounds", 2, "rounds; a leak grows in each, what is made once does not")
	flags.IntVar(&p.warm, "warm", 300, "sessions before the baseline is taken, so that what is made once is there")
	flags.IntVar(&p.parallel, "at-once", 6, "sessions at a time")
	flags.StringVar(&p.heap, "heap", "",
		"`folder` for heap profiles round-0.pprof, round-1.pprof …; go tool pprof -base compares them")
	doctable.AddWriteFlag(flags, &p.write)
	if err := flags.Parse(args); err != nil {
		return err
	}
	p.serve = flags.Args()
	if p.connects < 1 || p.rounds < 1 || p.warm < 0 || p.parallel < 1 {
		return errors.New("use -connects of 1 or more, -rounds of 1 or more, -warm of 0 or more, -at-once of 1 or more")
	}
	return p.run(ctx)
}

func (p *plan) run(ctx context.Context) error {
	text := fmt.Sprintf("%s, %s.\n\n", doctable.Measured(p.command()), doctable.Load())
	units, err := face(ctx)
	if err != nil {
		return err
	}
	var states []*state
	flags := append([]string{"--admin", "127.0.0.1:0", "--max-sessions", "512"}, p.serve...)
	err = process.WithServer(ctx, p.binary, flags, func(server *process.Server) (err error) {
		v := visitors{binary: p.binary, url: server.URL, units: units}
		if _, err := p.connect(ctx, v, "warming up", p.warm); err != nil {
			return err
		}
		var measured string
		states, measured, err = p.measure(ctx, server, v)
		text += measured
		return err
	})
	if err != nil {
		return err
	}
	fmt.Print(text)
	if p.write {
		if err := doctable.Write("churn", text); err != nil {
			return err
		}
	}
	return check(states)
}

// measure runs the rounds. It returns the states before the first and after each, and the text that shows them.
func (p *plan) measure(ctx context.Context, server *process.Server, v visitors) (
	states []*state, text string, err error) {
	began := time.Now()
	var all tally
	for round := range p.rounds + 1 {
		var before *state
		if round > 0 {
			counts, err := p.connect(ctx, v, fmt.Sprintf("connecting, round %d", round), p.connects)
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
	text = table(states) + fmt.Sprintf("\n%d sessions in %v, %d at a time: %v. %s\n", p.rounds*p.connects,
		time.Since(began).Round(time.Second), p.parallel, all, states[p.rounds].ends(states[0]))
	return states, text, nil
}

// keep writes a profile of the heap when -heap names a folder.
func (p *plan) keep(round int, server *process.Server) error {
	if p.heap == "" {
		return nil
	}
	profile, err := server.HeapProfile()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(p.heap, fmt.Sprintf("round-%d.pprof", round)), []byte(profile), 0o644)
}

// connect has n visitors connect and leave.
func (p *plan) connect(ctx context.Context, v visitors, what string, n int) (counts tally, err error) {
	var mu sync.Mutex // guards counts, err and done
	done := 0
	next := make(chan int)
	var work sync.WaitGroup
	for range p.parallel {
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

// command returns the command that repeats the measurement.
func (p *plan) command() string {
	if p.write && len(p.serve) == 0 {
		text := "make bench-churn"
		if p.connects != defaultConnects {
			text += fmt.Sprintf(" CONNECTS=%d", p.connects)
		}
		return text
	}
	return doctable.Command("churn", p.serve, "-connects", strconv.Itoa(p.connects), "-rounds", strconv.Itoa(p.rounds))
}

// face returns what visitors publish: two seconds of a drawn face.
func face(ctx context.Context) ([]pipeline.Unit, error) {
	c := loadtest.Coding{Width: 160, Height: 120, Rate: 15, Bitrate: 200_000}
	film := synthetic.NewVideo(c.Width, c.Height, c.Rate, 2*time.Second)
	return loadtest.Code(ctx, film, c, func(int) {})
}
