package admission

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestLimitsOfOneClient(t *testing.T) {
	h := open(t, Limits{Sessions: 3, PerAddress: 2, PerKey: 2, Waiting: 10})
	a := h.admit(from("192.0.2.1/32"))
	h.admit(from("192.0.2.1/32"))
	if why := h.refused(from("192.0.2.1/32")); why != PerAddress {
		t.Errorf("a third of an address: %s", why)
	}
	h.admit(from("2001:db8::/64"))
	one := h.wait(from("2001:db8::/64"))
	if why := h.refused(from("2001:db8::/64")); why != PerAddress { // one is there, one waits
		t.Errorf("a third of a network: %s", why)
	}
	h.wait(Client{}) // an address that is not counted
	h.wait(Client{})
	h.wait(Client{})
	h.Leave(Client{Ticket: one.Ticket}, h.now)
	h.wait(from("2001:db8::/64"))
	h.release(a)
	if s := h.wait(from("192.0.2.1/32")); s.Ahead != 4 {
		t.Errorf("%+v", s)
	}

	h = open(t, Limits{Sessions: 9, PerKey: 2, Waiting: 10})
	ada := h.admit(Client{Key: "ada"})
	h.admit(Client{Key: "ada"})
	if why := h.refused(Client{Key: "ada"}); why != PerKey {
		t.Errorf("a third of a key: %s", why)
	}
	h.admit(Client{Key: "ada", PerKey: 3}) // its own number goes before
	h.admit(Client{Key: "bob", PerKey: 1})
	if why := h.refused(Client{Key: "bob", PerKey: 1}); why != PerKey {
		t.Errorf("a second of one: %s", why)
	}
	h.release(ada)
	if why := h.refused(Client{Key: "ada"}); why != PerKey {
		t.Errorf("%s", why)
	}
	h.admit(Client{})
}

func TestQueueIsBounded(t *testing.T) {
	h := open(t, Limits{Sessions: 1, PerAddress: 2, Waiting: 100})
	h.admit(Client{})
	refused := map[Reason]int{}
	for i := range 10_000 {
		v := from(fmt.Sprintf("2001:db8:%x:%x::/64", i%3000, 0)) // more than two from many
		v.Ticket = fmt.Sprintf("%026d", i)
		_, err := h.Admit(v, h.now)
		var f *RefusedError
		if errors.As(err, &f) {
			refused[f.Reason]++
		}
		h.pass(time.Microsecond)
	}
	if len(h.tickets) != 101 || cap(h.queue) > 256 || refused[QueueFull] < 9000 {
		t.Errorf("%d tickets are kept, in a queue of %d; refused: %v", len(h.tickets), cap(h.queue), refused)
	}
	h.pass(time.Hour)
	if h.wait(Client{}); len(h.tickets) != 2 {
		t.Errorf("%d tickets are left over", len(h.tickets))
	}
}

func TestWaitingIsBoundedInTime(t *testing.T) {
	h := open(t, Limits{Sessions: 1, Waiting: 10, WaitTime: time.Minute})
	place := h.admit(Client{})
	first := h.wait(Client{}).Ticket
	for range 30 {
		h.pass(pollMin)
		h.poll(first)
	}
	h.release(place)
	if s := h.poll(first); !s.Reserved { // at the last moment: a promise holds
		t.Fatalf("%+v", s)
	}
	h.pass(pollMin)
	h.admit(Client{Ticket: first})
	second := h.wait(Client{}).Ticket
	for range 30 {
		h.pass(pollMin)
		h.poll(second)
	}
	h.pass(time.Second)
	if _, err := h.Poll(Client{Ticket: second}, h.now); err == nil {
		t.Error("it waits longer than it may")
	}

	h = open(t, Limits{Sessions: 1}) // no waiting room
	h.admit(Client{})
	if why := h.refused(Client{}); why != QueueFull {
		t.Errorf("%s", why)
	}
}

func TestLoad(t *testing.T) {
	h := open(t, Limits{Sessions: 10, Waiting: 10})
	h.load = Overloaded
	first := h.admit(Client{}) // on a machine that others keep busy somebody may always be served
	ticket := h.wait(Client{}).Ticket
	h.load = Busy
	h.pass(settleTime)
	if !h.poll(ticket).Reserved {
		t.Error("it is busy but not over")
	}
	h.admit(Client{Ticket: ticket})
	next := h.wait(Client{}).Ticket
	h.pass(settleTime - time.Second)
	if h.poll(next).Reserved {
		t.Error("two newcomers at once on a busy machine")
	}
	h.load = Idle
	if !h.poll(next).Reserved {
		t.Error("it is idle")
	}
	h.release(first)
}

func TestSessionTime(t *testing.T) {
	for _, row := range []struct{ limit, own, want time.Duration }{
		{0, 0, 0}, {time.Minute, 0, time.Minute}, {0, time.Second, time.Second},
		{time.Minute, time.Second, time.Second}, {time.Minute, time.Hour, time.Minute},
	} {
		p := open(t, Limits{Sessions: 1, SessionTime: row.limit}).admit(Client{SessionTime: row.own})
		if got := p.Until; row.want == 0 && !got.IsZero() || row.want > 0 && !got.Equal(noon.Add(row.want)) {
			t.Errorf("limit %v, own %v: until %v", row.limit, row.own, got)
		}
	}
}
