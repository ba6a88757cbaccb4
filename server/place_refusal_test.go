package server

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"mindflow/server/admission"
	"mindflow/server/servertest"
)

// Ten thousand refused requests leave nothing but a full queue, read no body, and take no slot of the scheduler.
func TestRefusedCostNothing(t *testing.T) {
	s := begin(t, idle(), func(c *Config) { c.MaxSessions, c.MaxWaiting, c.MaxPerAddress = 1, 50, 1 })
	s.offer(t, "")
	routes := s.routes()
	slot := s.engine.Scheduler.NewSlot()
	if err := slot.Acquire(t.Context()); err != nil { // the only slot of the scheduler
		t.Fatal(err)
	}
	refusals, tickets := map[int]int{}, []string(nil)
	for i := range 10_000 {
		// Tickets that nobody shows expire after ten seconds, but a busy machine takes longer for the test.
		if i%1000 == 100 {
			for _, ticket := range tickets {
				if _, err := s.admission.Poll(admission.Client{Ticket: ticket}, time.Now()); err != nil {
					t.Fatal(err)
				}
			}
		}
		req := httptest.NewRequest("POST", "/whip", nil)
		req.Body = untouched{t}
		req.RemoteAddr = fmt.Sprintf("[2001:db8:%x::1]:5", i/2)
		req.Header.Set("Content-Type", offerType)
		req.Header.Set(ticketHeader, strings.Repeat("x", 100))
		w := httptest.NewRecorder()
		routes.ServeHTTP(w, req)
		refusals[w.Code]++
		if ticket := w.Header().Get(ticketHeader); ticket != "" {
			tickets = append(tickets, ticket)
		}
	}
	if refusals[503] != 9950 || refusals[429] != 50 { // the second of each address that waits
		t.Errorf("answers: %v", refusals)
	}
	if s.Stats().Sessions != 1 || s.admission.Waiting(time.Now()) != 50 {
		t.Errorf("%d sessions, %d wait", s.Stats().Sessions, s.admission.Waiting(time.Now()))
	}
	slot.Release()
	if slot.Waited() > servertest.Patience {
		t.Error("refusals waited for the scheduler")
	}
}

// BenchmarkRefusal refuses requests at a full server with a full queue.
func BenchmarkRefusal(b *testing.B) {
	s := begin(b, idle(), func(c *Config) { c.MaxSessions, c.MaxWaiting = 16, 100 })
	for range 16 {
		if _, err := s.admission.Admit(admission.Client{Address: netip.MustParsePrefix("192.0.2.1/32")},
			time.Now()); err != nil {
			b.Fatal(err)
		}
	}
	routes := s.routes()
	req := httptest.NewRequest("POST", "/whip", nil)
	req.Header.Set("Content-Type", offerType)
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		routes.ServeHTTP(w, req)
		if w.Code != http.StatusServiceUnavailable {
			b.Fatal(w.Body)
		}
	}
}

// FuzzTicket shows tickets that were made up: they give no place.
func FuzzTicket(f *testing.F) {
	s := newDirectClient(f)
	s.server.admission = admission.NewControl(admission.Limits{Sessions: 1, Waiting: 1}, s.server.load.Load)
	for range 2 {
		_, _ = s.server.admission.Admit(admission.Client{}, time.Now()) // the second waits
	}
	for _, seed := range []string{"", "A", "ABCDEFGHIJKLMNOPQRSTUVWX22", "\x00", strings.Repeat("x", 1000)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, ticket string) {
		for method, path := range map[string]string{"POST": "/whip", "GET": "/waiting", "DELETE": "/waiting"} {
			req := httptest.NewRequest(method, path, nil)
			req.Body = untouched{t}
			req.Header.Set("Content-Type", offerType)
			req.Header[ticketHeader] = []string{ticket}
			w := httptest.NewRecorder()
			s.routes.ServeHTTP(w, req)
			if want := map[string]int{"POST": 503, "GET": 404, "DELETE": 204}[method]; w.Code != want {
				t.Errorf("%s with %q: status %d, want %d: %s", method, ticket, w.Code, want, w.Body)
			}
		}
	})
}
