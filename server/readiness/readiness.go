// Package readiness says whether a server takes newcomers, to those who send them to it: load balancers and operators.
package readiness

import (
	"encoding/json"
	"net/http"
	"sync"
)

// Phase is a part of a server's life.
type Phase string

const (
	Loading  Phase = "loading"  // the models are being read and warmed; the first
	Serving  Phase = "serving"  // newcomers are taken, capacity apart
	Draining Phase = "draining" // newcomers are refused, those who are there may stay a little while
	Stopping Phase = "stopping" // all sessions are ended
)

var reasons = map[Phase]string{
	Loading:  "the models are being loaded",
	Draining: "the server is about to stop and takes no newcomers",
	Stopping: "the server is stopping",
}

// State is that of one server. Safe for use by several goroutines; its zero value is Loading.
type State struct {
	mu       sync.Mutex
	phase    Phase                    // guarded by mu
	degraded func() map[string]string // guarded by mu
}

// Set goes on to a phase.
func (s *State) Set(p Phase) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.phase = p
}

// Degraded names who tells which parts work on less than they were set to use, and why.
func (s *State) Degraded(tell func() map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.degraded = tell
}

// Answer is what is told: the body of /readyz.
type Answer struct {
	Ready    bool              `json:"ready"`
	Phase    Phase             `json:"phase"`
	Reasons  []string          `json:"reasons"`  // why it is not ready; empty when it is
	Degraded map[string]string `json:"degraded"` // by part, why; a server that is degraded is ready all the same
}

// Now is the answer at this moment.
func (s *State) Now() Answer {
	s.mu.Lock()
	a, tell := Answer{Phase: s.phase, Reasons: []string{}, Degraded: map[string]string{}}, s.degraded
	s.mu.Unlock()
	if a.Phase == "" {
		a.Phase = Loading
	}
	a.Ready = a.Phase == Serving
	if why, ok := reasons[a.Phase]; ok {
		a.Reasons = append(a.Reasons, why)
	}
	if tell != nil {
		for part, why := range tell() {
			a.Degraded[part] = why
		}
	}
	return a
}

// ServeHTTP answers 200 when the server is ready and 503 when it is not, with an Answer.
func (s *State) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	a := s.Now()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if !a.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(a) // a write error means that the client is gone
}
