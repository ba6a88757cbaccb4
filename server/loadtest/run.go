// Package loadtest measures a server from outside: it publishes a clip that is coded already over as many WebRTC
// sessions as are wanted, and measures from the sending of each frame to the arrival of its label.
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
	settleTime   = time.Second // after the last session began, before counting begins
	tellTime     = time.Second // from one word of progress to the next
)

// Plan is what is tested, and how.
type Plan struct {
	URL, Token string // of a WHIP endpoint
	Client     *http.Client
	Sessions   int
	Duration   time.Duration     // that is counted, once all sessions stand
	Units      []pipeline.Unit   // of Code
	Rate       float64           // of them
	Line       whipclient.Line   // that each session has
	Progress   func(text string) // hears now and then how it goes
}

// trial is a test under way.
type trial struct {
	plan     Plan
	sessions []*session
	tried    chan struct{} // one for each session that stands or has failed

	mu     sync.Mutex // guards all below
	stands []bool     // by session
	failed []Failure
}

// Run tests until the plan's time is over. When ctx ends before, it gives what was counted so far, and an error if
// counting had not begun.
func Run(ctx context.Context, plan Plan) (*Result, error) {
	sending, stop := context.WithCancel(ctx)
	t := &trial{plan: plan, tried: make(chan struct{}, plan.Sessions), stands: make([]bool, plan.Sessions)}
	epoch := time.Now()
	var work sync.WaitGroup
	doors := make(chan struct{}, dialsAtATime)
	for n := range plan.Sessions {
		s := &session{number: n, plan: &t.plan, meter: meter{epoch: epoch, tally: tally{session: n + 1}}}
		t.sessions = append(t.sessions, s)
		work.Add(1)
		go func() {
			defer work.Done()
			t.hold(sending, s, doors)
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
func (t *trial) hold(ctx context.Context, s *session, doors chan struct{}) {
	doors <- struct{}{}
	stands := false
	tried := func() {
		<-doors
		t.tried <- struct{}{}
	}
	refused, err := s.run(ctx, func() {
		stands = true
		t.mu.Lock()
		t.stands[s.number] = true
		t.mu.Unlock()
		tried()
	})
	if err != nil && ctx.Err() == nil {
		t.fail(s.number, refused, err)
	}
	if !stands {
		tried()
	}
}

func (t *trial) fail(number int, refused bool, err error) {
	var request *url.Error // which names the address as well
	if errors.As(err, &request) {
		err = request.Err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failed = append(t.failed, Failure{Session: number + 1, Refused: refused, Reason: err.Error()})
}

// connect waits until each session stands or has failed, and a moment more.
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

// count measures for the plan's time, or until ctx or all sessions end.
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

// tell says how it goes.
func (t *trial) tell(sum *total, long time.Duration) {
	f := sum.figures(long)
	t.plan.Progress(fmt.Sprintf("%v of %v: %d sessions, %.1f labels a second each, p95 %s ms",
		long.Round(time.Second), t.plan.Duration, sum.sessions, f.Rate, shown(f.P95)))
}

// sum is what was counted so far of all sessions.
func (t *trial) sum() *total {
	sum := &total{}
	t.read(sum.add)
	return sum
}

// result is what was counted.
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

// read lends what was counted of each session that came to stand.
func (t *trial) read(see func(*tally)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, s := range t.sessions {
		if t.stands[i] {
			s.meter.read(see)
		}
	}
}
