// Package loadtest measures a server from outside: it publishes an encoded clip over any number of WebRTC sessions, and
// measures the time from sending a frame to receiving its label.
package loadtest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"mindflow/pipeline"
	"mindflow/server/whipclient"
)

const (
	dialsAtATime = 4
	settleTime   = time.Second // from the start of the last session to the start of counting
	tellTime     = time.Second // between two reports of progress
)

// Plan configures a test.
type Plan struct {
	URL, Token string // of a WHIP endpoint
	Client     *http.Client
	Sessions   int
	Duration   time.Duration         // of counting, once all sessions are connected
	Units      []pipeline.Unit       // made by Code
	Rate       float64               // of them
	Conditions whipclient.Conditions // of each session's network
	Progress   func(text string)     // called with the state of the test, about once a second
}

// trial is a running test.
type trial struct {
	plan     Plan
	sessions []*session
	tried    chan struct{} // signalled by each session that is connected or has failed

	mu        sync.Mutex // guards all below
	connected []bool     // by session
	failed    []Failure
}

// Run tests for the plan's duration. When ctx ends before, it returns what was counted so far, or an error if counting
// had not begun.
func Run(ctx context.Context, plan Plan) (*Result, error) {
	sending, stop := context.WithCancel(ctx)
	t := &trial{plan: plan, tried: make(chan struct{}, plan.Sessions), connected: make([]bool, plan.Sessions)}
	epoch := time.Now()
	var work sync.WaitGroup
	dialSlots := make(chan struct{}, dialsAtATime)
	for n := range plan.Sessions {
		s := &session{number: n, plan: &t.plan, meter: meter{epoch: epoch, tally: tally{session: n + 1}}}
		t.sessions = append(t.sessions, s)
		work.Add(1)
		go func() {
			defer work.Done()
			t.hold(sending, s, dialSlots)
		}()
	}
	over := make(chan struct{}) // closed when all sessions have ended
	go func() {
		work.Wait()
		close(over)
	}()
	defer func() {
		stop()
		<-over
	}()
	if err := t.connect(ctx, over); err != nil {
		return nil, err
	}
	return t.count(ctx, over), nil
}

// hold runs one session.
func (t *trial) hold(ctx context.Context, s *session, dialSlots chan struct{}) {
	dialSlots <- struct{}{}
	connected := false
	tried := func() {
		<-dialSlots
		t.tried <- struct{}{}
	}
	refused, err := s.run(ctx, func() {
		connected = true
		t.mu.Lock()
		t.connected[s.number] = true
		t.mu.Unlock()
		tried()
	})
	if err != nil && ctx.Err() == nil {
		t.fail(s.number, refused, err)
	}
	if !connected {
		tried()
	}
}

func (t *trial) fail(number int, refused bool, err error) {
	var request *url.Error // which also names the address
	if errors.As(err, &request) {
		err = request.Err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failed = append(t.failed, Failure{Session: number + 1, Refused: refused, Reason: err.Error()})
}

// connect waits until each session is connected or has failed, and settleTime more.
func (t *trial) connect(ctx context.Context, over <-chan struct{}) error {
	for n := range t.plan.Sessions {
		t.plan.Progress(fmt.Sprintf("connecting: %d of %d sessions", n, t.plan.Sessions))
		select {
		case <-ctx.Done():
		case <-t.tried:
		}
	}
	select {
	case <-ctx.Done():
	case <-over:
	case <-time.After(settleTime):
	}
	if ctx.Err() != nil {
		return errors.New("interrupted before anything was counted")
	}
	return nil
}

// count measures for the plan's duration, or until ctx or all sessions end.
func (t *trial) count(ctx context.Context, over <-chan struct{}) *Result {
	began, each := time.Now(), &minutes{}
	for _, s := range t.sessions {
		s.meter.count(true)
	}
	end := time.NewTimer(t.plan.Duration)
	defer end.Stop()
	tell := time.NewTicker(tellTime)
	defer tell.Stop()
	for {
		select {
		case <-tell.C:
			long := time.Since(began)
			sum := t.sum()
			each.see(sum, long)
			t.tell(sum, long)
			continue
		case <-ctx.Done():
		case <-over:
		case <-end.C:
		}
		long := time.Since(began)
		for _, s := range t.sessions {
			s.meter.count(false)
		}
		result := t.result(long)
		result.Began = began
		each.see(t.sum(), long)
		result.Minutes = append(result.Minutes, each.all...)
		return result
	}
}

// tell reports progress.
func (t *trial) tell(sum *total, long time.Duration) {
	f := sum.figures(long)
	t.plan.Progress(fmt.Sprintf("%v of %v: %d sessions, %.1f labels a second each, p95 %s ms",
		long.Round(time.Second), t.plan.Duration, sum.sessions, f.Rate, shown(f.P95)))
}

// sum returns what all sessions have counted so far.
func (t *trial) sum() *total {
	sum := &total{}
	t.read(sum.add)
	return sum
}

// result returns what was counted.
func (t *trial) result(long time.Duration) *Result {
	var tallies []*tally
	t.read(func(lent *tally) {
		counted := *lent
		tallies = append(tallies, &counted)
	})
	t.mu.Lock()
	defer t.mu.Unlock()
	return summary(tallies, t.failed, long)
}

// read calls see with what each connected session has counted.
func (t *trial) read(see func(*tally)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, s := range t.sessions {
		if t.connected[i] {
			s.meter.read(see)
		}
	}
}
