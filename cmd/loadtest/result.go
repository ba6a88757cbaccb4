package loadtest

import (
	"errors"
	"fmt"
	"time"
)

// Result is what a test found. Sessions that were refused are among Failed only.
type Result struct {
	Seconds  float64   `json:"seconds"` // that were counted
	Overall  Figures   `json:"overall"`
	Sessions []Figures `json:"sessions"`
	Failed   []Failure `json:"failed"`
	// SentLateMS is by how much the 95th percentile of frames left this machine later than planned. More than a few
	// milliseconds mean that the tester has too little machine for itself, and that the delays are partly its own.
	SentLateMS float64 `json:"sent_late_p95_ms"`
}

// Figures are those of one session, or of all.
type Figures struct {
	P50  *float64 `json:"p50_ms"` // from the sending of a frame to the arrival of its label; null without labels
	P95  *float64 `json:"p95_ms"`
	P99  *float64 `json:"p99_ms"`
	Rate float64  `json:"labels_per_second_per_session"`
	Lost uint64   `json:"lost"` // label messages that are missing by their seq; frames without a label are no loss

	seqs sequence
}

// Failure is a session that was refused, or that ended before the test did.
type Failure struct {
	Session int    `json:"session"` // from 1 on
	Refused bool   `json:"refused"` // the server did not take it
	Reason  string `json:"reason"`
}

// Limits are what a server has to keep to. 0 is no limit.
type Limits struct {
	MaxP95  float64 // milliseconds, over all sessions
	MinRate float64 // label messages a second, of each session
}

// figures sums up tallies of a time, each of one session.
func figures(tallies []*tally, seconds float64) Figures {
	var f Figures
	all := &delays{}
	labels := 0
	for _, t := range tallies {
		all.merge(&t.delays)
		labels += t.labels
		f.Lost += t.seqs.lost()
	}
	f.P50, f.P95, f.P99 = milliseconds(all, 50), milliseconds(all, 95), milliseconds(all, 99)
	if len(tallies) > 0 && seconds > 0 {
		f.Rate = float64(labels) / seconds / float64(len(tallies))
	}
	return f
}

func milliseconds(d *delays, percent float64) *float64 {
	t, ok := d.percentile(percent)
	if !ok {
		return nil
	}
	ms := float64(t) / float64(time.Millisecond)
	return &ms
}

// summary makes a result of what was counted in a time.
func summary(tallies []*tally, failed []Failure, long time.Duration) *Result {
	r := &Result{Seconds: long.Seconds(), Sessions: []Figures{}, Failed: append([]Failure{}, failed...)}
	r.Overall = figures(tallies, r.Seconds)
	late := &delays{}
	for _, t := range tallies {
		f := figures([]*tally{t}, r.Seconds)
		f.seqs = t.seqs
		r.Sessions = append(r.Sessions, f)
		late.merge(&t.late)
	}
	if ms := milliseconds(late, 95); ms != nil {
		r.SentLateMS = *ms
	}
	return r
}

// Check says what is wrong: sessions that failed, limits that were missed.
func (r *Result) Check(l Limits) error {
	var err error
	if n := len(r.Failed); n > 0 {
		what := "ended early"
		if r.Failed[0].Refused {
			what = "was refused"
		}
		err = fmt.Errorf("%d of the sessions failed; session %d %s: %s", n, r.Failed[0].Session, what, r.Failed[0].Reason)
	}
	if r.Overall.P95 == nil {
		return errors.Join(err, errors.New("no label came for any frame"))
	}
	if p95 := *r.Overall.P95; l.MaxP95 > 0 && p95 > l.MaxP95 {
		err = errors.Join(err, fmt.Errorf("the 95th percentile is %.1f ms, more than --max-p95 %v", p95, l.MaxP95))
	}
	slowest := 0
	for i, s := range r.Sessions {
		if s.Rate < r.Sessions[slowest].Rate {
			slowest = i
		}
	}
	if rate := r.Sessions[slowest].Rate; rate < l.MinRate {
		err = errors.Join(err, fmt.Errorf("the slowest session got %.2f labels a second, fewer than --min-rate %v", rate, l.MinRate))
	}
	return err
}
