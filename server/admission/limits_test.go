package admission

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestLimitsOfOne(t *testing.T) {
	h := open(t, Limits{Sessions: 3, PerAddress: 2, PerKey: 2, Waiting: 10})
	a := h.enter(from("192.0.2.1/32"))
	h.enter(from("192.0.2.1/32"))
	if why := h.full(from("192.0.2.1/32")); why != PerAddress {
		t.Errorf("a third of an address: %s", why)
	}
	h.enter(from("2001:db8::/64"))
	one := h.wait(from("2001:db8::/64"))
	if why := h.full(from("2001:db8::/64")); why != PerAddress { // one is there, one waits
		t.Errorf("a third of a network: %s", why)
	}
	h.wait(Visitor{}) // an address that is not counted
	h.wait(Visitor{})
	h.wait(Visitor{})
	h.Leave(Visitor{Ticket: one.Ticket}, h.now)
	h.wait(from("2001:db8::/64"))
	h.rise(a)
	if s := h.wait(from("192.0.2.1/32")); s.Ahead != 4 {
		t.Errorf("%+v", s)
	}

	h = open(t, Limits{Sessions: 9, PerKey: 2, Waiting: 10})
	ada := h.enter(Visitor{Key: "ada"})
	h.enter(Visitor{Key: "ada"})
	if why := h.full(Visitor{Key: "ada"}); why != PerKey {
		t.Errorf("a third of a key: %s", why)
	}
	h.enter(Visitor{Key: "ada", PerKey: 3}) // its own number goes before
	h.enter(Visitor{Key: "bob", PerKey: 1})
	if why := h.full(Visitor{Key: "bob", PerKey: 1}); why != PerKey {
		t.Errorf("a second of one: %s", why)
	}
	h.rise(ada)
	if why := h.full(Visitor{Key: "ada"}); why != PerKey {
		t.Errorf("%s", why)
	}
	h.enter(Visitor{})
}

func TestRoomIsBounded(t *testing.T) {
	h := open(t, Limits{Sessions: 1, PerAddress: 2, Waiting: 100})
	h.enter(Visitor{})
	refused := map[Reason]int{}
	for i := range 10_000 {
		v := from(fmt.Sprintf("2001:db8:%x:%x::/64", i%3000, 0)) // more than two from many
		v.Ticket = fmt.Sprintf("%026d", i)
		_, err := h.Enter(v, Idle, h.now)
		var f *FullError
		if errors.As(err, &f) {
			refused[f.Reason]++
		}
		h.pass(time.Microsecond)
	}
	if len(h.tickets) != 101 || cap(h.queue) > 256 || refused[Crowded] < 9000 {
		t.Errorf("%d tickets are kept, in a queue of %d; refused: %v", len(h.tickets), cap(h.queue), refused)
	}
	h.pass(time.Hour)
	if h.wait(Visitor{}); len(h.tickets) != 2 {
		t.Errorf("%d tickets are left over", len(h.tickets))
	}
}

func TestWaitingIsBoundedInTime(t *testing.T) {
	h := open(t, Limits{Sessions: 1, Waiting: 10, WaitTime: time.Minute})
	place := h.enter(Visitor{})
	first := h.wait(Visitor{}).Ticket
	for range 30 {
		h.pass(soonest)
		h.ask(first)
	}
	h.rise(place)
	if s := h.ask(first); !s.Turn { // at the last moment: a promise holds
		t.Fatalf("%+v", s)
	}
	h.pass(soonest)
	h.enter(Visitor{Ticket: first})
	second := h.wait(Visitor{}).Ticket
	for range 30 {
		h.pass(soonest)
		h.ask(second)
	}
	h.pass(time.Second)
	if _, err := h.Ask(Visitor{Ticket: second}, Idle, h.now); err == nil {
		t.Error("it waits longer than it may")
	}

	h = open(t, Limits{Sessions: 1}) // no waiting room
	h.enter(Visitor{})
	if why := h.full(Visitor{}); why != Crowded {
		t.Errorf("%s", why)
	}
}

func TestLoad(t *testing.T) {
	h := open(t, Limits{Sessions: 10, Waiting: 10})
	h.load = Over
	first := h.enter(Visitor{}) // on a machine that others keep busy somebody may always be served
	ticket := h.wait(Visitor{}).Ticket
	h.load = Busy
	h.pass(settle)
	if !h.ask(ticket).Turn {
		t.Error("it is busy but not over")
	}
	h.enter(Visitor{Ticket: ticket})
	next := h.wait(Visitor{}).Ticket
	h.pass(settle - time.Second)
	if h.ask(next).Turn {
		t.Error("two newcomers at once on a busy machine")
	}
	h.load = Idle
	if !h.ask(next).Turn {
		t.Error("it is idle")
	}
	h.rise(first)
}

func TestLongest(t *testing.T) {
	for _, row := range []struct{ limit, own, want time.Duration }{
		{0, 0, 0}, {time.Minute, 0, time.Minute}, {0, time.Second, time.Second}, {time.Minute, time.Second, time.Second}, {time.Minute, time.Hour, time.Minute},
	} {
		p := open(t, Limits{Sessions: 1, SessionTime: row.limit}).enter(Visitor{Time: row.own})
		if got := p.Until; row.want == 0 && !got.IsZero() || row.want > 0 && !got.Equal(noon.Add(row.want)) {
			t.Errorf("limit %v, own %v: until %v", row.limit, row.own, got)
		}
	}
}
