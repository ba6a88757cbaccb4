// Refused measures whether sessions suffer from newcomers that are refused: a server with as many sessions as it takes, alone and
// while newcomers knock.
//
//	go run ./bench/refused [-sessions 12] [-rate 200] [-- FLAGS of serve]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"mindflow/bench/child"
	"mindflow/server/loadtest"
)

const least = 0.9 // of the rate without newcomers; knocking takes processor time on the same machine

type plan struct {
	binary, clip string
	sessions     int
	rate         int // newcomers a second
	duration     time.Duration
	serve        []string
}

func main() {
	child.Main("refused", func(ctx context.Context) error {
		var p plan
		flag.StringVar(&p.binary, "binary", child.Binary(), "mindflow, a `file`")
		flag.StringVar(&p.clip, "clip", child.Clip(), "video `file` with one face")
		flag.IntVar(&p.sessions, "sessions", 12, "sessions that publish")
		flag.IntVar(&p.rate, "rate", 200, "newcomers a second")
		flag.DurationVar(&p.duration, "duration", 15*time.Second, "time that is measured")
		flag.Parse()
		p.serve = flag.Args()
		if p.sessions < 1 || p.rate < 1 || p.rate > 10_000 {
			return errors.New("use -sessions of 1 or more, -rate of 1 to 10000")
		}
		return p.run(ctx)
	})
}

func (p *plan) run(ctx context.Context) (err error) {
	places := strconv.Itoa(p.sessions)
	server, err := child.Serve(ctx, p.binary, append([]string{"--max-sessions", places, "--max-per-address", "0", "--max-waiting", "100", "--admin", "127.0.0.1:0"}, p.serve...)...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	fmt.Println("| newcomers refused a second | labels/s a session | slowest session | p50 ms | p95 ms |\n|---|---|---|---|---|")
	alone, err := child.LoadTest(ctx, p.binary, server.URL, p.clip, p.sessions, p.duration)
	if err != nil {
		return err
	}
	show(0, alone)
	beside, refused, err := p.beside(ctx, server)
	if err != nil {
		return err
	}
	show(refused, beside)
	share := beside.Overall.Rate / alone.Overall.Rate
	fmt.Printf("\nWhile newcomers are refused, sessions keep %.0f %% of their rate.\n", 100*share)
	if share < least {
		return fmt.Errorf("sessions keep %.2f of their rate, the goal is %.2f", share, least)
	}
	return nil
}

func show(refused float64, r *loadtest.Result) {
	slowest := r.Overall.Rate
	for _, s := range r.Sessions {
		slowest = min(slowest, s.Rate)
	}
	fmt.Printf("| %.0f | %.1f | %.1f | %.1f | %.1f |\n", refused, r.Overall.Rate, slowest, *r.Overall.P50, *r.Overall.P95)
}

// beside measures while newcomers knock, and says how many were refused a second. They begin when all places are taken.
func (p *plan) beside(ctx context.Context, server *child.Server) (r *loadtest.Result, refused float64, err error) {
	knocking, stop := context.WithCancel(ctx)
	defer stop()
	type answer struct {
		refused float64
		err     error
	}
	knocked := make(chan answer, 1)
	go func() {
		n, err := p.knock(knocking, server)
		knocked <- answer{n, err}
	}()
	r, err = child.LoadTest(ctx, p.binary, server.URL, p.clip, p.sessions, p.duration)
	stop()
	a := <-knocked
	return r, a.refused, errors.Join(err, a.err)
}

// knock asks for a session at the rate, from when all places are taken until one is free again or ctx ends.
func (p *plan) knock(ctx context.Context, server *child.Server) (refused float64, err error) {
	if err := p.full(ctx, server); err != nil {
		return 0, err
	}
	ticker := time.NewTicker(time.Second / time.Duration(p.rate))
	defer ticker.Stop()
	began, n := time.Now(), 0
	for ctx.Err() == nil {
		<-ticker.C
		status, err := ask(ctx, server.URL)
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			return 0, err
		}
		if status != http.StatusServiceUnavailable {
			if long := time.Since(began); long < p.duration {
				return 0, fmt.Errorf("after %v a newcomer was answered %d, want 503", long, status)
			}
			break
		}
		n++
	}
	return float64(n) / time.Since(began).Seconds(), nil
}

// full waits until all places are taken.
func (p *plan) full(ctx context.Context, server *child.Server) error {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		m, err := server.Metrics()
		if err != nil || m["mindflow_sessions"] == float64(p.sessions) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// ask sends an offer that is none: who is refused is so before it is read.
func ask(ctx context.Context, url string) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/whip", strings.NewReader("v=0\r\n"))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/sdp")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, errors.Join(err, resp.Body.Close())
}
