package loadtest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"mindflow/pipeline/field"
)

// Result is the result of a test. Refused sessions are in Failed only.
type Result struct {
	Began    time.Time `json:"began"`   // when counting began
	Seconds  float64   `json:"seconds"` // of counting
	Overall  Figures   `json:"overall"`
	Sessions []Figures `json:"sessions"`
	Minutes  []Minute  `json:"minutes"` // whole ones, in order
	Failed   []Failure `json:"failed"`
	// Sent is the number of frames that all sessions sent during counting.
	Sent uint64 `json:"frames_sent"`
	// SentLateMS is the 95th percentile of how much later than planned a frame left this machine. More than a few
	// milliseconds mean that this machine is too slow for the test, and that the delays are partly its own.
	SentLateMS float64 `json:"sent_late_p95_ms"`
}

// Figures are the figures of one session, or of all.
type Figures struct {
	P50    *float64 `json:"p50_ms"` // from the sending of a frame to the arrival of its label; null without labels
	P95    *float64 `json:"p95_ms"`
	P99    *float64 `json:"p99_ms"`
	AgeP50 *float64 `json:"age_p50_ms"` // of the scores of all faces, as the server says; null without faces
	AgeP95 *float64 `json:"age_p95_ms"`
	Rate   float64  `json:"labels_per_second_per_session"`
	Lost   uint64   `json:"lost"` // missing messages, by their seq; a frame without labels is not a loss

	session int // from 1 on; 0 overall
	seqs    sequence
}

// Failure is a session that was refused, or that ended before the test did.
type Failure struct {
	Session int    `json:"session"` // from 1 on
	Refused bool   `json:"refused"` // by the server
	Reason  string `json:"reason"`
}

func (f Failure) String() string {
	what := "ended early"
	if f.Refused {
		what = "was refused"
	}
	return fmt.Sprintf("session %d %s: %s", f.Session, what, f.Reason)
}

// Limits are what a server has to achieve. Zero means unlimited.
type Limits struct {
	MaxP95  float64 // milliseconds, over all sessions
	MinRate float64 // label messages a second, of each session
}

// total is the sum of sessions.
type total struct {
	sessions, labels int
	lost             uint64
	delays, ages     delays
	late             delays
}

func (t *total) add(one *tally) {
	t.sessions++
	t.labels += one.labels
	t.lost += one.seqs.lost()
	t.delays.merge(&one.delays)
	t.ages.merge(&one.ages)
	t.late.merge(&one.late)
}

// figures returns the figures for a duration.
func (t *total) figures(long time.Duration) Figures {
	return Figures{
		P50: milliseconds(&t.delays, 50), P95: milliseconds(&t.delays, 95), P99: milliseconds(&t.delays, 99),
		AgeP50: milliseconds(&t.ages, 50), AgeP95: milliseconds(&t.ages, 95),
		Rate: rate(t.labels, t.sessions, long), Lost: t.lost,
	}
}

// rate returns the number of labels a second and session.
func rate(labels, sessions int, long time.Duration) float64 {
	if sessions == 0 || long <= 0 {
		return 0
	}
	return float64(labels) / long.Seconds() / float64(sessions)
}

func milliseconds(d *delays, percent float64) *float64 {
	t, ok := d.percentile(percent)
	if !ok {
		return nil
	}
	ms := float64(t) / float64(time.Millisecond)
	return &ms
}

// summary makes a result of what was counted in a duration.
func summary(tallies []*tally, failed []Failure, long time.Duration) *Result {
	r := &Result{
		Seconds: long.Seconds(), Sessions: []Figures{}, Minutes: []Minute{}, Failed: append([]Failure{}, failed...),
	}
	all := &total{}
	for _, t := range tallies {
		one := &total{}
		one.add(t)
		f := one.figures(long)
		f.session, f.seqs = t.session, t.seqs
		r.Sessions = append(r.Sessions, f)
		all.add(t)
	}
	slices.SortFunc(r.Failed, func(a, b Failure) int { return a.Session - b.Session })
	r.Overall, r.Sent = all.figures(long), all.late.count
	if ms := milliseconds(&all.late, 95); ms != nil {
		r.SentLateMS = *ms
	}
	return r
}

// Check returns an error for failed sessions and missed limits.
func (r *Result) Check(l Limits) error {
	var err error
	if n := len(r.Failed); n > 0 {
		err = fmt.Errorf("%d sessions failed; %v", n, r.Failed[0])
	}
	if r.Overall.P95 == nil {
		return errors.Join(err, errors.New("no label came for any frame"))
	}
	if p95 := *r.Overall.P95; l.MaxP95 > 0 && p95 > l.MaxP95 {
		slow := field.Valuef("MaxP95", l.MaxP95, "the 95th percentile is %.1f ms, more than the limit", p95)
		err = errors.Join(err, slow)
	}
	slowest := 0
	for i, s := range r.Sessions {
		if s.Rate < r.Sessions[slowest].Rate {
			slowest = i
		}
	}
	if rate := r.Sessions[slowest].Rate; rate < l.MinRate {
		few := field.Valuef("MinRate", l.MinRate,
			"the slowest session got %.2f labels a second, fewer than the limit", rate)
		err = errors.Join(err, few)
	}
	return err
}
