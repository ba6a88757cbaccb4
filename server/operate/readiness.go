package operate

import (
	"encoding/json"
	"net/http"
	"sync"
)

// Phase is a part of a server's life.
type Phase string

// The phases, in their order. Sessions are admitted, capacity apart, in Serving alone.
const (
	Loading  Phase = "loading"  // the models are being read and warmed
	Serving  Phase = "serving"  // sessions are admitted
	Draining Phase = "draining" // sessions are refused; open ones may stay a little while
	Stopping Phase = "stopping" // all sessions are ended
)

var notReady = map[Phase]string{
	Loading:  "the models are being loaded",
	Draining: "the server is about to stop and takes no newcomers",
	Stopping: "the server is stopping",
}

// Readiness is the state of one server that /readyz reports. It is safe for concurrent use; its zero value is Loading.
type Readiness struct {
	mu       sync.Mutex
	phase    Phase                    // guarded by mu
	degraded func() map[string]string // guarded by mu
}

// Set enters a phase.
func (s *Readiness) Set(p Phase) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.phase = p
}

// SetDegraded sets the function that returns, by part and with the cause, which parts run on less than configured.
func (s *Readiness) SetDegraded(read func() map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.degraded = read
}

// ReadyReport is the body of /readyz.
type ReadyReport struct {
	Ready    bool              `json:"ready"`
	Phase    Phase             `json:"phase"`
	Reasons  []string          `json:"reasons"`  // why it is not ready; empty when it is
	Degraded map[string]string `json:"degraded"` // causes by part; a degraded server is ready all the same
}

// Report returns the current state.
func (s *Readiness) Report() ReadyReport {
	s.mu.Lock()
	r, degraded := ReadyReport{Phase: s.phase, Reasons: []string{}, Degraded: map[string]string{}}, s.degraded
	s.mu.Unlock()
	if r.Phase == "" {
		r.Phase = Loading
	}
	r.Ready = r.Phase == Serving
	if why, ok := notReady[r.Phase]; ok {
		r.Reasons = append(r.Reasons, why)
	}
	if degraded != nil {
		for part, why := range degraded() {
			r.Degraded[part] = why
		}
	}
	return r
}

// ServeHTTP answers with a ReadyReport: status 200 when the server is ready and 503 when it is not.
func (s *Readiness) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	r := s.Report()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if !r.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(r) // a write error means that the client is gone
}
