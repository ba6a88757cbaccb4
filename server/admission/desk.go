// Package admission gives out the places of a server: so many in all, for an address and for a key. When all are taken, newcomers
// wait in the order they came. Its core knows no clock but the one it is handed, and no network.
package admission

import (
	"crypto/rand"
	"net/netip"
	"time"
)

const (
	// soonest and latest are how often somebody who waits asks whether it is their turn: the first ones often, those behind less so.
	soonest = 2 * time.Second
	latest  = 15 * time.Second
	each    = time.Second / 2 // later for everybody ahead

	slack    = 5 * time.Second  // by which a question may be late before those behind go first
	patience = 75 * time.Second // by which it may be late before its place in the queue is lost: browsers let hidden pages run once a minute
	// A ticket that was never shown is worth less: many a program asks for a place again and again without, and must not wait behind
	// the tickets that it threw away.
	newSlack    = time.Second
	newPatience = 10 * time.Second

	hold     = 15 * time.Second // for which a place is kept for whom it was promised to
	comeback = 15 * time.Second // within which who left comes before those who wait

	settle = 3 * time.Second // between two newcomers on a busy machine, so that the load of the first is seen
)

// Limits are how many may be there. 0 is no limit, except where it says otherwise.
type Limits struct {
	Sessions    int           // at a time
	PerAddress  int           // of one address, and of those that wait from there
	PerKey      int           // of one key, and of those that wait with it, where a visitor has no number of its own
	Waiting     int           // at a time; with 0 nobody waits
	WaitTime    time.Duration // after which who waits is sent away
	SessionTime time.Duration // of the longest session, where a visitor has none of its own
}

// Visitor is who asks for a place.
type Visitor struct {
	Address netip.Prefix  // what counts as one address; the zero value is not counted
	Key     string        // whose it is; "" is not counted
	PerKey  int           // of this key at a time; 0 leaves it to Limits
	Time    time.Duration // of its longest session, where that is less than Limits'; 0 leaves it to Limits
	Ticket  string        // that it was given; "" is none
}

// Load says how busy the machine is.
type Load int

const (
	Idle Load = iota // newcomers cost nobody anything
	Busy             // newcomers are let in one after the other
	Over             // those who are there get too little already
)

// Status is what the desk tells somebody who waits.
type Status struct {
	Ticket  string        // to be shown with the next question
	Turn    bool          // a place is kept, for Within
	Ahead   int           // people who come before
	Waiting int           // people who wait, this one too
	Again   time.Duration // when to ask again
	Within  time.Duration // when Turn: to come
}

// Place is somebody's place. Give it back by Rise.
type Place struct {
	Ticket string
	Until  time.Time // when the session must end; zero: never

	holder *ticket
}

type state int

const (
	waiting state = iota
	seated
	left // within comeback
)

// ticket is somebody's claim to a place.
type ticket struct {
	id      string
	key     string
	address netip.Prefix
	state   state
	came    time.Time // to wait
	due     time.Time // when it asks next, while it waits
	shown   bool
	held    time.Time // until when a place is kept for it; zero: none is
	began   time.Time // its session, over all that it came back for
	gone    time.Time // when it left
	first   bool      // it has left and come back: it goes before those who came anew
}

// Desk gives out places. It is not safe for use by several goroutines.
type Desk struct {
	limits   Limits
	tickets  map[string]*ticket // all of them, by id
	queue    []*ticket          // that wait, in the order of their turns
	back     []*ticket          // that left, the oldest first; at most Limits.Sessions
	seats    int                // taken
	lastSeat time.Time          // when one was given out last
}

// NewDesk makes a desk.
func NewDesk(l Limits) *Desk { return &Desk{limits: l, tickets: map[string]*ticket{}} }

// Seated says how many have a place.
func (d *Desk) Seated() int { return d.seats }

// Waiting says how many wait for one.
func (d *Desk) Waiting(now time.Time) int {
	d.forget(now)
	return len(d.queue)
}

// Enter gives v a place. The error is a *WaitError, when v may wait, or a *FullError.
func (d *Desk) Enter(v Visitor, load Load, now time.Time) (*Place, error) {
	t, err := d.ask(v, load, now)
	if err != nil {
		return nil, err
	}
	if t == nil {
		t = d.issue(v, now)
	}
	d.take(t)
	t.state, t.address, t.held = seated, v.Address, time.Time{}
	if t.began.IsZero() {
		t.began = now
	}
	d.seats++
	d.lastSeat = now
	p := &Place{Ticket: t.id, holder: t}
	if limit := v.longest(d.limits); limit > 0 {
		p.Until = t.began.Add(limit)
	}
	return p, nil
}

// MayEnter is Enter without taking the place: it is worth reading what v has to say.
func (d *Desk) MayEnter(v Visitor, load Load, now time.Time) error {
	_, err := d.ask(v, load, now)
	return err
}

// Ask says how v's waiting goes. The error is a *FullError when v's ticket is none that waits.
func (d *Desk) Ask(v Visitor, load Load, now time.Time) (Status, error) {
	d.forget(now)
	t := d.find(v)
	if t == nil || t.state == seated {
		return Status{}, &FullError{Unknown, "this ticket waits for nothing; ask for a place anew", 0}
	}
	if t.state == left {
		d.requeue(t, now)
	}
	return d.status(t, load, now), nil
}

// Leave gives up what v waits for.
func (d *Desk) Leave(v Visitor, now time.Time) {
	if t := d.find(v); t != nil && t.state != seated {
		d.drop(t)
	}
	d.forget(now)
}

// Holds gives the place of v's ticket, if it has one: whoever lost its connection comes back before the server has noticed.
func (d *Desk) Holds(v Visitor) bool {
	t := d.find(v)
	return t != nil && t.state == seated
}

// Rise takes a place back. Whoever may come back, as after a connection that broke, goes before those who wait for a little while;
// replaced keeps the very place for it.
func (d *Desk) Rise(p *Place, mayReturn, replaced bool, now time.Time) {
	t := p.holder
	if t == nil {
		return
	}
	p.holder = nil
	d.seats--
	if !mayReturn || !p.Until.IsZero() && !now.Before(p.Until) {
		delete(d.tickets, t.id)
		d.forget(now)
		return
	}
	t.state, t.gone, t.first = left, now, true
	if replaced {
		t.held = now.Add(hold)
	}
	d.back = append(d.back, t)
	if len(d.back) > d.limits.Sessions {
		d.drop(d.back[0])
	}
	d.forget(now)
}

// ask finds out whether v may have a place now; t is its ticket, nil for a newcomer.
func (d *Desk) ask(v Visitor, load Load, now time.Time) (t *ticket, err error) {
	d.forget(now)
	if t = d.find(v); t != nil && t.state == seated { // used twice: the second is a newcomer
		t = nil
	}
	if err := d.allowed(v, t, now); err != nil {
		return nil, err
	}
	if t != nil && t.state == left {
		d.requeue(t, now)
	}
	if t == nil && d.room(nil, load, now) > d.punctual(len(d.queue), now) {
		return nil, nil
	}
	if t == nil {
		if len(d.queue) >= d.limits.Waiting {
			why := "the server is full, and so is its waiting room; try again later"
			if d.limits.Waiting == 0 {
				why = "the server is full; try again later"
			}
			return nil, &FullError{Crowded, why, latest}
		}
		t = d.issue(v, now)
		d.queue = append(d.queue, t)
	}
	if s := d.status(t, load, now); !s.Turn {
		return nil, &WaitError{s}
	}
	return t, nil
}

// allowed holds v to the limits of its own, with or without the ticket that it has.
func (d *Desk) allowed(v Visitor, own *ticket, now time.Time) error {
	perKey := v.PerKey
	if perKey == 0 {
		perKey = d.limits.PerKey
	}
	address, key := 0, 0
	for _, t := range d.tickets {
		if t == own || t.state == left && !now.Before(t.held) {
			continue
		}
		if t.address == v.Address {
			address++
		}
		if t.key == v.Key {
			key++
		}
	}
	switch {
	case v.Key != "" && perKey > 0 && key >= perKey:
		return &FullError{PerKey, "all the sessions that this token may have are taken; end one, or wait for it to end", soonest * 5}
	case v.Address.IsValid() && d.limits.PerAddress > 0 && address >= d.limits.PerAddress:
		return &FullError{PerAddress, "all the sessions that one network address may have here are taken; end one, or wait for it to end", soonest * 5}
	}
	return nil
}

// room counts the places that are free for t: neither taken nor kept for others.
// punctual counts, of the first n that wait, those whose turn comes before others': who is late for its question lets others go first, and
// who has a place kept needs no other.
// status tells how t's waiting goes, and keeps a place for it when it is its turn.
// late gives the limit for a ticket that was shown, or for one that was not.
// Retry is when somebody is to come again who shows no ticket.
// find looks up v's ticket. One of another key is not v's.
func (d *Desk) find(v Visitor) *ticket {
	t := d.tickets[v.Ticket]
	if t == nil || t.key != v.Key {
		return nil
	}
	t.shown = true
	return t
}

func (d *Desk) issue(v Visitor, now time.Time) *ticket {
	t := &ticket{id: rand.Text(), key: v.Key, address: v.Address, came: now, due: now}
	d.tickets[t.id] = t
	return t
}

// requeue has a ticket that left wait before those who came anew, behind others that came back.
// take takes t off the lists.
// forget drops who has not asked for too long, who waits for too long, and who did not come back.
func (v Visitor) longest(l Limits) time.Duration {
	if v.Time > 0 && (l.SessionTime == 0 || v.Time < l.SessionTime) {
		return v.Time
	}
	return l.SessionTime
}
