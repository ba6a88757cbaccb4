package admission

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// hall is a desk with a clock, for tests.
type hall struct {
	t *testing.T
	*Desk
	now  time.Time
	load Load
}

func open(t *testing.T, l Limits) *hall { return &hall{t, NewDesk(l), noon, Idle} }

func (h *hall) pass(d time.Duration) { h.now = h.now.Add(d) }

func (h *hall) enter(v Visitor) *Place {
	h.t.Helper()
	p, err := h.Enter(v, h.load, h.now)
	if err != nil {
		h.t.Fatalf("enter: %v", err)
	}
	return p
}

// wait comes and is told to wait.
func (h *hall) wait(v Visitor) Status {
	h.t.Helper()
	_, err := h.Enter(v, h.load, h.now)
	var w *WaitError
	if !errors.As(err, &w) {
		h.t.Fatalf("it was to wait: %v", err)
	}
	return w.Status
}

func (h *hall) ask(ticket string) Status {
	h.t.Helper()
	s, err := h.Ask(Visitor{Ticket: ticket}, h.load, h.now)
	if err != nil {
		h.t.Fatalf("ask: %v", err)
	}
	return s
}

// full comes and may not even wait.
func (h *hall) full(v Visitor) Reason {
	h.t.Helper()
	_, err := h.Enter(v, h.load, h.now)
	var f *FullError
	if !errors.As(err, &f) || f.Detail == "" {
		h.t.Fatalf("it was to be refused: %v", err)
	}
	return f.Reason
}

func (h *hall) rise(p *Place) { h.Rise(p, false, false, h.now) }

func from(address string) Visitor {
	return Visitor{Address: netip.MustParsePrefix(address)}
}

// Who came first goes first, whoever asks first.
func TestOrder(t *testing.T) {
	h := open(t, Limits{Sessions: 2, Waiting: 10})
	places := []*Place{h.enter(Visitor{}), h.enter(Visitor{})}
	var tickets []string
	for i := range 4 {
		s := h.wait(Visitor{})
		if s.Ahead != i || s.Waiting != i+1 || s.Turn {
			t.Errorf("number %d is told %+v", i, s)
		}
		tickets = append(tickets, s.Ticket)
	}
	if s := h.ask(tickets[2]); s.Ahead != 2 || s.Turn {
		t.Errorf("asked again: %+v", s)
	}
	h.rise(places[0])
	for _, i := range []int{3, 2, 1} { // one place for the first, none for others, nor for newcomers
		if s := h.ask(tickets[i]); s.Turn || s.Ahead != i {
			t.Errorf("number %d is told %+v", i, s)
		}
	}
	if s := h.wait(Visitor{}); s.Ahead != 4 {
		t.Errorf("a newcomer is told %+v", s)
	}
	if s := h.ask(tickets[0]); !s.Turn || s.Within != hold {
		t.Errorf("the first is told %+v", s)
	}
	if s := h.ask(tickets[1]); s.Turn || s.Ahead != 0 {
		t.Errorf("a place that is kept is promised twice: %+v", s)
	}
	h.enter(Visitor{Ticket: tickets[0]})
	h.rise(places[1])
	h.enter(Visitor{Ticket: tickets[1]}) // without having asked in between
	if s := h.ask(tickets[2]); s.Turn || s.Ahead != 0 || s.Waiting != 3 {
		t.Errorf("%+v", s)
	}
}

// Tickets are worth one place, and nothing to others.
func TestTicketsOfOthers(t *testing.T) {
	h := open(t, Limits{Sessions: 1, Waiting: 10})
	place := h.enter(Visitor{Key: "ada"})
	first := h.wait(Visitor{Key: "bob"})
	if s := h.wait(Visitor{Key: "eve", Ticket: first.Ticket}); s.Ahead != 1 || s.Ticket == first.Ticket {
		t.Errorf("somebody else's ticket gave %+v", s)
	}
	if s := h.wait(Visitor{Key: "eve", Ticket: "MADEUPMADEUPMADEUPMADEUP00"}); s.Ahead != 2 {
		t.Errorf("a ticket that was made up gave %+v", s)
	}
	h.rise(place)
	for _, v := range []Visitor{{Key: "eve", Ticket: first.Ticket}, {Key: "", Ticket: first.Ticket}, {Key: "bob"}} {
		if _, err := h.Ask(v, Idle, h.now); err == nil {
			t.Errorf("%+v asked for bob", v)
		}
		h.Leave(v, h.now)
	}
	h.enter(Visitor{Key: "bob", Ticket: first.Ticket})
	if s := h.wait(Visitor{Key: "bob", Ticket: first.Ticket}); s.Ahead != 2 {
		t.Errorf("a ticket was used twice: %+v", s)
	}
	seen := map[string]bool{}
	for range 100 {
		seen[NewDesk(Limits{}).issue(Visitor{}, noon).id] = true
	}
	for id := range seen {
		if len(seen) != 100 || len(id) < 26 { // 5 bits each
			t.Fatalf("tickets such as %q can be guessed", id)
		}
	}
}

// Who is late lets others go first, and is not forgotten for it; who stays away is.
func TestLate(t *testing.T) {
	h := open(t, Limits{Sessions: 1, Waiting: 10})
	place := h.enter(Visitor{})
	first, second := h.wait(Visitor{}).Ticket, h.wait(Visitor{}).Ticket
	for range 5 { // the first is a page in the background
		h.pass(soonest)
		h.ask(second)
	}
	if s := h.ask(second); s.Ahead != 0 {
		t.Errorf("one that is late counts: %+v", s)
	}
	if s := h.ask(first); s.Ahead != 0 {
		t.Errorf("back in time it has its place: %+v", s)
	}
	if s := h.ask(second); s.Ahead != 1 {
		t.Errorf("%+v", s)
	}
	h.pass(time.Minute) // neither asks
	h.rise(place)
	h.enter(Visitor{}) // a newcomer need not wait for pages that nobody looks at
	h.pass(patience)
	if _, err := h.Ask(Visitor{Ticket: first}, Idle, h.now); err == nil || h.Waiting(h.now) != 0 {
		t.Errorf("%d wait, of whom nobody asked: %v", h.Waiting(h.now), err)
	}
}

// Who asks for a place again and again, without the ticket that it was given, gets one all the same.
func TestWithoutTicket(t *testing.T) {
	h := open(t, Limits{Sessions: 1, Waiting: 10})
	place := h.enter(Visitor{})
	for range 5 {
		h.pass(h.wait(Visitor{}).Retry())
	}
	h.rise(place)
	h.enter(Visitor{})
	if h.pass(newPatience); h.wait(Visitor{}).Waiting > 3 {
		t.Errorf("%d wait, most of whom threw their tickets away", h.Waiting(h.now))
	}
}

// A place that is kept for somebody who does not come is given to the next.
func TestPromiseLapses(t *testing.T) {
	h := open(t, Limits{Sessions: 1, Waiting: 10})
	place := h.enter(Visitor{})
	first, second := h.wait(Visitor{}).Ticket, h.wait(Visitor{}).Ticket
	h.rise(place)
	h.ask(first)
	for h.now.Before(noon.Add(hold)) {
		if h.ask(second).Turn {
			t.Fatal("the promise was broken")
		}
		h.pass(time.Second)
	}
	if s := h.ask(second); !s.Turn {
		t.Errorf("after the promise: %+v", s)
	}
	h.enter(Visitor{Ticket: second})
}

// Ten thousand strangers fill the room and no more.
// Who leaves frees the place at once; who comes back goes first for a little while.
func TestComeBack(t *testing.T) {
	h := open(t, Limits{Sessions: 1, Waiting: 10, SessionTime: time.Minute})
	place := h.enter(Visitor{})
	h.pass(10 * time.Second)
	h.Rise(place, true, false, h.now)
	again := h.enter(Visitor{Ticket: place.Ticket})
	if want := noon.Add(time.Minute); !again.Until.Equal(want) || again.Ticket != place.Ticket {
		t.Errorf("back until %v, want %v", again.Until, want)
	}

	waiting := h.wait(Visitor{}).Ticket
	other := h.wait(Visitor{}).Ticket
	h.Rise(again, true, false, h.now)
	next := h.enter(Visitor{Ticket: waiting}) // nothing is kept back for who left of itself
	if s := h.wait(Visitor{Ticket: again.Ticket}); s.Ahead != 0 || s.Ticket != again.Ticket {
		t.Errorf("back after another took the place: %+v", s)
	}
	if s := h.ask(other); s.Ahead != 1 {
		t.Errorf("%+v", s)
	}
	h.Rise(next, true, false, h.now)
	if s := h.ask(next.Ticket); s.Ahead != 1 { // behind the one that came back before
		t.Errorf("%+v", s)
	}
	last := h.enter(Visitor{Ticket: again.Ticket})

	h.Rise(last, true, false, h.now)
	h.pass(comeback)
	if p := h.enter(Visitor{Ticket: last.Ticket}); p.Ticket == last.Ticket { // those who wait have not asked for too long
		t.Error("it is back too late and has its ticket still")
	}
}

// Whose time is up does not come back, nor whoever was thrown out.
func TestNoWayBack(t *testing.T) {
	h := open(t, Limits{Sessions: 1, Waiting: 10, SessionTime: time.Minute})
	place := h.enter(Visitor{})
	h.pass(time.Minute)
	h.Rise(place, true, false, h.now)
	thrown := h.enter(Visitor{Ticket: place.Ticket})
	if thrown.Ticket == place.Ticket {
		t.Error("it has its ticket still")
	}
	h.Rise(thrown, false, false, h.now)
	h.Rise(thrown, false, false, h.now) // twice does nothing
	if p := h.enter(Visitor{Ticket: thrown.Ticket}); p.Ticket == thrown.Ticket || h.Seated() != 1 {
		t.Errorf("%d places, ticket kept: %v", h.Seated(), p.Ticket == thrown.Ticket)
	}
}

// A connection that is made anew before the server has noticed that the last one broke keeps its place.
func TestReplaced(t *testing.T) {
	h := open(t, Limits{Sessions: 1, Waiting: 10})
	place := h.enter(Visitor{Key: "ada"})
	waiting := h.wait(Visitor{}).Ticket
	if h.Holds(Visitor{Key: "eve", Ticket: place.Ticket}) || !h.Holds(Visitor{Key: "ada", Ticket: place.Ticket}) {
		t.Error("whose place it is is mixed up")
	}
	h.Rise(place, true, true, h.now)
	if h.ask(waiting).Turn {
		t.Error("the place is given away meanwhile")
	}
	again := h.enter(Visitor{Key: "ada", Ticket: place.Ticket})
	h.Rise(again, true, true, h.now)
	h.pass(hold)
	if !h.ask(waiting).Turn {
		t.Error("a place is kept for ever")
	}
}

func TestWords(t *testing.T) {
	for ahead, want := range []string{"you are next", "one person comes", "2 people come"} {
		if text := (&WaitError{Status{Ahead: ahead}}).Error(); !strings.Contains(text, want) {
			t.Errorf("%d ahead: %q", ahead, text)
		}
	}
}

// FuzzDesk has strangers come, ask, leave and go in any order, a byte a deed: nobody gets more than there is, nothing is forgotten and
// nothing kept.
