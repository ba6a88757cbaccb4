package admission

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// harness is a Control with a clock and a load that tests set.
type harness struct {
	t *testing.T
	*Control
	now  time.Time
	load Load
}

func open(t *testing.T, l Limits) *harness {
	h := &harness{t: t, now: noon}
	h.Control = NewControl(l, func(time.Time) Load { return h.load })
	return h
}

func (h *harness) pass(d time.Duration) { h.now = h.now.Add(d) }

func (h *harness) admit(v Client) *Place {
	h.t.Helper()
	p, err := h.Admit(v, h.now)
	if err != nil {
		h.t.Fatalf("admit: %v", err)
	}
	return p
}

// wait requests a place and is queued.
func (h *harness) wait(v Client) Status {
	h.t.Helper()
	_, err := h.Admit(v, h.now)
	var w *WaitError
	if !errors.As(err, &w) {
		h.t.Fatalf("want a WaitError: %v", err)
	}
	return w.Status
}

func (h *harness) poll(ticket string) Status {
	h.t.Helper()
	s, err := h.Poll(Client{Ticket: ticket}, h.now)
	if err != nil {
		h.t.Fatalf("poll: %v", err)
	}
	return s
}

// refused requests a place and is not even queued.
func (h *harness) refused(v Client) Reason {
	h.t.Helper()
	_, err := h.Admit(v, h.now)
	var f *RefusedError
	if !errors.As(err, &f) || f.Detail == "" {
		h.t.Fatalf("want a RefusedError: %v", err)
	}
	return f.Reason
}

func (h *harness) release(p *Place) { h.Release(p, false, false, h.now) }

func from(address string) Client {
	return Client{Address: netip.MustParsePrefix(address)}
}

// Clients are admitted in the order in which they came, not in which they poll.
func TestOrder(t *testing.T) {
	h := open(t, Limits{Sessions: 2, Waiting: 10})
	places := []*Place{h.admit(Client{}), h.admit(Client{})}
	var tickets []string
	for i := range 4 {
		s := h.wait(Client{})
		if s.Ahead != i || s.Waiting != i+1 || s.Reserved {
			t.Errorf("number %d is told %+v", i, s)
		}
		tickets = append(tickets, s.Ticket)
	}
	if s := h.poll(tickets[2]); s.Ahead != 2 || s.Reserved {
		t.Errorf("asked again: %+v", s)
	}
	h.release(places[0])
	for _, i := range []int{3, 2, 1} { // one place for the first, none for others, nor for newcomers
		if s := h.poll(tickets[i]); s.Reserved || s.Ahead != i {
			t.Errorf("number %d is told %+v", i, s)
		}
	}
	if s := h.wait(Client{}); s.Ahead != 4 {
		t.Errorf("a newcomer is told %+v", s)
	}
	if s := h.poll(tickets[0]); !s.Reserved || s.Within != reserveTime {
		t.Errorf("the first is told %+v", s)
	}
	if s := h.poll(tickets[1]); s.Reserved || s.Ahead != 0 {
		t.Errorf("a place that is kept is promised twice: %+v", s)
	}
	h.admit(Client{Ticket: tickets[0]})
	h.release(places[1])
	h.admit(Client{Ticket: tickets[1]}) // without having asked in between
	if s := h.poll(tickets[2]); s.Reserved || s.Ahead != 0 || s.Waiting != 3 {
		t.Errorf("%+v", s)
	}
}

// A ticket is good for one place, and for its own client only.
func TestTicketsOfOthers(t *testing.T) {
	h := open(t, Limits{Sessions: 1, Waiting: 10})
	place := h.admit(Client{Key: "ada"})
	first := h.wait(Client{Key: "bob"})
	if s := h.wait(Client{Key: "eve", Ticket: first.Ticket}); s.Ahead != 1 || s.Ticket == first.Ticket {
		t.Errorf("somebody else's ticket gave %+v", s)
	}
	if s := h.wait(Client{Key: "eve", Ticket: "MADEUPMADEUPMADEUPMADEUP00"}); s.Ahead != 2 {
		t.Errorf("a ticket that was made up gave %+v", s)
	}
	h.release(place)
	for _, v := range []Client{{Key: "eve", Ticket: first.Ticket}, {Key: "", Ticket: first.Ticket}, {Key: "bob"}} {
		if _, err := h.Poll(v, h.now); err == nil {
			t.Errorf("%+v asked for bob", v)
		}
		h.Leave(v, h.now)
	}
	h.admit(Client{Key: "bob", Ticket: first.Ticket})
	if s := h.wait(Client{Key: "bob", Ticket: first.Ticket}); s.Ahead != 2 {
		t.Errorf("a ticket was used twice: %+v", s)
	}
	seen := map[string]bool{}
	for range 100 {
		seen[NewControl(Limits{}, nil).issue(Client{}, noon).id] = true
	}
	for id := range seen {
		if len(seen) != 100 || len(id) < 26 { // 5 bits each
			t.Fatalf("tickets such as %q can be guessed", id)
		}
	}
}

// A client whose poll is late lets others go first but keeps its position; one that stops polling loses it.
func TestLate(t *testing.T) {
	h := open(t, Limits{Sessions: 1, Waiting: 10})
	place := h.admit(Client{})
	first, second := h.wait(Client{}).Ticket, h.wait(Client{}).Ticket
	for range 5 { // the first is a page in the background
		h.pass(pollMin)
		h.poll(second)
	}
	if s := h.poll(second); s.Ahead != 0 {
		t.Errorf("one that is late counts: %+v", s)
	}
	if s := h.poll(first); s.Ahead != 0 {
		t.Errorf("back in time it has its position: %+v", s)
	}
	if s := h.poll(second); s.Ahead != 1 {
		t.Errorf("%+v", s)
	}
	h.pass(time.Minute) // neither asks
	h.release(place)
	h.admit(Client{}) // a newcomer need not wait for pages that nobody looks at
	h.pass(pollTimeout)
	if _, err := h.Poll(Client{Ticket: first}, h.now); err == nil || h.Waiting(h.now) != 0 {
		t.Errorf("%d wait, of whom nobody asked: %v", h.Waiting(h.now), err)
	}
}

// A client that requests a place again and again without showing its ticket gets one all the same.
func TestWithoutTicket(t *testing.T) {
	h := open(t, Limits{Sessions: 1, Waiting: 10})
	place := h.admit(Client{})
	for range 5 {
		h.pass(h.wait(Client{}).RetryAfter())
	}
	h.release(place)
	h.admit(Client{})
	if h.pass(unshownTimeout); h.wait(Client{}).Waiting > 3 {
		t.Errorf("%d wait, most of whom threw their tickets away", h.Waiting(h.now))
	}
}

// A place reserved for a client that does not come goes to the next.
func TestReservationExpires(t *testing.T) {
	h := open(t, Limits{Sessions: 1, Waiting: 10})
	place := h.admit(Client{})
	first, second := h.wait(Client{}).Ticket, h.wait(Client{}).Ticket
	h.release(place)
	h.poll(first)
	for h.now.Before(noon.Add(reserveTime)) {
		if h.poll(second).Reserved {
			t.Fatal("the promise was broken")
		}
		h.pass(time.Second)
	}
	if s := h.poll(second); !s.Reserved {
		t.Errorf("after the promise: %+v", s)
	}
	h.admit(Client{Ticket: second})
}

// A client that leaves frees its place at once, and for returnTime precedes the queue.
func TestReturn(t *testing.T) {
	h := open(t, Limits{Sessions: 1, Waiting: 10, SessionTime: time.Minute})
	place := h.admit(Client{})
	h.pass(10 * time.Second)
	h.Release(place, true, false, h.now)
	again := h.admit(Client{Ticket: place.Ticket})
	if want := noon.Add(time.Minute); !again.Until.Equal(want) || again.Ticket != place.Ticket {
		t.Errorf("back until %v, want %v", again.Until, want)
	}

	waiting := h.wait(Client{}).Ticket
	other := h.wait(Client{}).Ticket
	h.Release(again, true, false, h.now)
	next := h.admit(Client{Ticket: waiting}) // nothing is kept back for who left of itself
	if s := h.wait(Client{Ticket: again.Ticket}); s.Ahead != 0 || s.Ticket != again.Ticket {
		t.Errorf("back after another took the place: %+v", s)
	}
	if s := h.poll(other); s.Ahead != 1 {
		t.Errorf("%+v", s)
	}
	h.Release(next, true, false, h.now)
	if s := h.poll(next.Ticket); s.Ahead != 1 { // behind the one that came back before
		t.Errorf("%+v", s)
	}
	last := h.admit(Client{Ticket: again.Ticket})

	h.Release(last, true, false, h.now)
	h.pass(returnTime)
	// The queued clients have not polled for too long.
	if p := h.admit(Client{Ticket: last.Ticket}); p.Ticket == last.Ticket {
		t.Error("it is back too late and has its ticket still")
	}
}

// Neither a client whose time is up returns nor one that was removed.
func TestNoReturn(t *testing.T) {
	h := open(t, Limits{Sessions: 1, Waiting: 10, SessionTime: time.Minute})
	place := h.admit(Client{})
	h.pass(time.Minute)
	h.Release(place, true, false, h.now)
	thrown := h.admit(Client{Ticket: place.Ticket})
	if thrown.Ticket == place.Ticket {
		t.Error("it has its ticket still")
	}
	h.Release(thrown, false, false, h.now)
	h.Release(thrown, false, false, h.now) // twice does nothing
	if p := h.admit(Client{Ticket: thrown.Ticket}); p.Ticket == thrown.Ticket || h.places != 1 {
		t.Errorf("%d places, ticket kept: %v", h.places, p.Ticket == thrown.Ticket)
	}
}

// A client that reconnects before the server has noticed the broken connection keeps its place.
func TestReplaced(t *testing.T) {
	h := open(t, Limits{Sessions: 1, Waiting: 10})
	place := h.admit(Client{Key: "ada"})
	waiting := h.wait(Client{}).Ticket
	if h.HasPlace(Client{Key: "eve", Ticket: place.Ticket}) || !h.HasPlace(Client{Key: "ada", Ticket: place.Ticket}) {
		t.Error("whose place it is is mixed up")
	}
	h.Release(place, true, true, h.now)
	if h.poll(waiting).Reserved {
		t.Error("the place is given away meanwhile")
	}
	again := h.admit(Client{Key: "ada", Ticket: place.Ticket})
	h.Release(again, true, true, h.now)
	h.pass(reserveTime)
	if !h.poll(waiting).Reserved {
		t.Error("a place is kept for ever")
	}
}

func TestWaitErrorText(t *testing.T) {
	for ahead, want := range []string{"you are next", "one person comes", "2 people come"} {
		if text := (&WaitError{Status{Ahead: ahead}}).Error(); !strings.Contains(text, want) {
			t.Errorf("%d ahead: %q", ahead, text)
		}
	}
}

// FuzzDesk has strangers come, ask, leave and go in any order, a byte a deed: nobody gets more than there is, nothing
// is forgotten and nothing kept.
