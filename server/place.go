package server

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"mindflow/pipeline"
	"mindflow/server/admission"
	"mindflow/server/remote"
)

// ticketHeader names the ticket of a visitor that waits for a place or has one: web/PROTOCOL.md, section 1.1.
const ticketHeader = "Mindflow-Ticket"

// admission is how the desk knows the visitor.
func (v visitor) admission() admission.Visitor {
	return admission.Visitor{
		Address: v.network, Key: v.grant.Subject, PerKey: v.grant.MaxSessions, Time: v.grant.SessionTime, Ticket: v.ticket,
	}
}

// limits are those of the configuration.
func (c Config) limits() admission.Limits {
	return admission.Limits{
		Sessions: c.MaxSessions, PerAddress: c.MaxPerAddress, PerKey: c.MaxPerKey,
		Waiting: c.MaxWaiting, WaitTime: c.MaxWait, SessionTime: c.SessionTime,
	}
}

// gauge measures how busy the machine is, for all sessions.
type gauge struct {
	wanted float64 // labels a second; 0 lets everybody in

	mu sync.Mutex
	g  admission.Gauge // guarded by mu
}

func (g *gauge) add(took time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.g.Add(took, time.Now())
}

func (g *gauge) load(now time.Time) admission.Load {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.g.Load(g.wanted, now)
}

// rate is how many labels a second a session could get; +Inf where that is not known.
func (g *gauge) rate(now time.Time) float64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.g.Rate(now)
}

// meterPlaces has the metrics tell who waits, and what for.
func (s *Server) meterPlaces() {
	s.meters.GaugeFunc("waiting", "Newcomers that wait for a place.", func() float64 {
		s.mu.Lock()
		defer s.mu.Unlock()
		return float64(s.desk.Waiting(time.Now()))
	})
	s.meters.GaugeFunc("session_labels_per_second", "Labels a second that a session with many frames could get; infinite while few come.",
		func() float64 { return s.gauge.rate(time.Now()) })
}

// mayEnter refuses v while there is no place for it, before anything is read or made.
func (s *Server) mayEnter(v visitor, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return stopping()
	}
	if s.desk.Holds(v.admission()) { // it comes back, and its place with it
		return nil
	}
	return noPlace(s.desk.MayEnter(v.admission(), s.gauge.load(now), now))
}

// replace ends the session that v's ticket has, if any: its page makes a new connection before the server has noticed that the last
// one broke. The place is kept.
func (s *Server) replace(ctx context.Context, v visitor) error {
	s.mu.Lock()
	var old *session
	for _, sess := range s.sessions {
		if v.ticket != "" && sess.place.Ticket == v.ticket && v.owns(sess) {
			old = sess
		}
	}
	s.mu.Unlock()
	if old == nil {
		return nil
	}
	old.end(endReplaced)
	select {
	case <-old.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// rise gives a session's place back. mu is held.
func (s *Server) rise(sess *session, now time.Time) {
	why := sess.why()
	mayReturn := false
	switch why {
	case endReplaced, endDeleted, endClosed, endFailed, endWorn, endInternal:
		mayReturn = true
	}
	s.desk.Rise(sess.place, mayReturn, why == endReplaced, now)
}

func stopping() *problem {
	return newProblem(http.StatusServiceUnavailable, "the server is stopping; it, or another, may be there in a moment").
		with("Retry-After", "2").kind("urn:mindflow:draining").because(refusedDraining)
}

// noPlace is the desk's answer as a problem.
func noPlace(err error) error {
	var wait *admission.WaitError
	var full *admission.FullError
	switch {
	case errors.As(err, &wait):
		p := newProblem(http.StatusServiceUnavailable, err.Error()).kind("urn:mindflow:waiting").because(refusedWaiting).
			with("Retry-After", seconds(wait.Status.Retry())).with(ticketHeader, wait.Status.Ticket)
		p.Queued = queued(wait.Status)
		return p
	case errors.As(err, &full) && full.Reason == admission.Crowded:
		return newProblem(http.StatusServiceUnavailable, err.Error()).because(refusedFull).with("Retry-After", seconds(full.Again))
	case errors.As(err, &full) && full.Reason == admission.Unknown:
		return newProblem(http.StatusNotFound, err.Error())
	case errors.As(err, &full):
		return newProblem(http.StatusTooManyRequests, err.Error()).kind("urn:mindflow:limit-per-"+string(full.Reason)).
			because("per-"+string(full.Reason)).with("Retry-After", seconds(full.Again))
	}
	return err
}

// seconds is a time as Retry-After says it, a second at least.
func seconds(d time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(d.Seconds()))))
}

// Queued is what a visitor is told who waits: web/PROTOCOL.md, section 1.1.
type Queued struct {
	Ahead    int   `json:"ahead"`   // people who come before
	Waiting  int   `json:"waiting"` // people who wait, this one too
	Turn     bool  `json:"turn"`
	AgainMS  int64 `json:"again_ms"`
	WithinMS int64 `json:"within_ms,omitempty"` // when Turn
}

func queued(s admission.Status) *Queued {
	return &Queued{s.Ahead, s.Waiting, s.Turn, s.Again.Milliseconds(), s.Within.Milliseconds()}
}

// waiting serves GET /waiting: how it goes for who waits.
func (s *Server) waiting(w http.ResponseWriter, r *http.Request, v visitor) error {
	now := time.Now()
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return stopping()
	}
	status, err := s.desk.Ask(v.admission(), s.gauge.load(now), now)
	s.mu.Unlock()
	if err != nil {
		return noPlace(err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("Retry-After", seconds(status.Retry()))
	return json.NewEncoder(w).Encode(struct {
		V int `json:"v"`
		*Queued
	}{pipeline.Version, queued(status)})
}

// leaveQueue serves DELETE /waiting: who waits no longer wants to.
func (s *Server) leaveQueue(w http.ResponseWriter, r *http.Request, v visitor) error {
	s.mu.Lock()
	s.desk.Leave(v.admission(), time.Now())
	s.mu.Unlock()
	return noContent(w)
}

// from tells what is known of r's sender before it has shown a token.
func (s *Server) from(r *http.Request) visitor {
	if s.cfg.Proxies.Ignored(r) {
		s.warnProxy.Do(func() {
			s.log.Warn("X-Forwarded-For is not believed; if it is of a proxy of yours, name its address with --trusted-proxy, else all its visitors count as one",
				"peer", r.RemoteAddr)
		})
	}
	return visitor{network: remote.Network(s.cfg.Proxies.Client(r)), ticket: r.Header.Get(ticketHeader)}
}
