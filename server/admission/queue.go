package admission

import (
	"net/netip"
	"slices"
	"time"
)

const (
	// Clients near the head of the queue poll often, those behind less so.
	pollMin  = 2 * time.Second
	pollMax  = 15 * time.Second
	pollStep = time.Second / 2 // more for each client ahead

	pollSlack   = 5 * time.Second  // a poll that is later lets the clients behind go first
	pollTimeout = 75 * time.Second // a later one loses its position: browsers run hidden pages once a minute
	// A ticket that was never shown is worth less: many programs request a place again and again without their ticket,
	// and must not wait behind tickets that they threw away.
	unshownSlack   = time.Second
	unshownTimeout = 10 * time.Second

	limitRetry  = 10 * time.Second // until a client at its own limit tries again
	reserveTime = 15 * time.Second // a place stays reserved
	returnTime  = 15 * time.Second // a client that left may return before the queue
	settleTime  = 3 * time.Second  // between two admissions on a busy machine, so that the load of the first shows
)

type state int

const (
	waiting state = iota
	admitted
	left // within returnTime
)

// ticket is a client's claim to a place.
type ticket struct {
	id       string
	key      string
	address  netip.Prefix
	state    state
	queued   time.Time // when it joined the queue
	pollDue  time.Time // when the next poll is due, while it waits
	shown    bool      // by its client
	reserved time.Time // a place is reserved until then; zero means not
	started  time.Time // when its first session began
	gone     time.Time // when it left
	returned bool      // it left and returned: it precedes clients that never had a place
}

// Status is the position of a queued client.
type Status struct {
	Ticket    string        // to show with the next poll
	Reserved  bool          // a place is reserved, for Within
	Ahead     int           // clients that precede it
	Waiting   int           // clients in the queue, itself included
	PollAfter time.Duration // when to poll again
	Within    time.Duration // when Reserved: the time to request the place
}

// RetryAfter returns how long a client that shows no ticket should wait before it tries again.
func (s Status) RetryAfter() time.Duration { return s.PollAfter + unshownSlack }

// free returns the number of places that are free for t, which may be nil: neither taken nor reserved for others.
func (c *Control) free(t *ticket, now time.Time) int {
	if c.places > 0 {
		switch c.load(now) {
		case Overloaded:
			return 0
		case Busy:
			if now.Sub(c.lastAdmitted) < settleTime {
				return 0
			}
		}
	}
	free := c.limits.Sessions - c.places
	for _, list := range [][]*ticket{c.queue, c.returning} {
		for _, other := range list {
			if other != t && now.Before(other.reserved) {
				free--
			}
		}
	}
	return free
}

// punctual counts, of the first n in the queue, those that precede clients behind them. A client whose poll is late
// lets others go first; a client with a reserved place needs no other.
func (c *Control) punctual(n int, now time.Time) (ahead int) {
	for _, t := range c.queue[:n] {
		if !now.Before(t.reserved) && now.Before(t.pollDue.Add(t.allowance(pollSlack, unshownSlack))) {
			ahead++
		}
	}
	return ahead
}

// status returns the status of t and reserves a place when t is next.
func (c *Control) status(t *ticket, now time.Time) Status {
	n := max(slices.Index(c.queue, t), 0)
	s := Status{Ticket: t.id, Ahead: c.punctual(n, now), Waiting: len(c.queue)}
	s.PollAfter = min(pollMin+time.Duration(s.Ahead)*pollStep, pollMax)
	t.pollDue = now.Add(s.PollAfter)
	if now.Before(t.reserved) || c.free(t, now) > s.Ahead {
		if !now.Before(t.reserved) {
			t.reserved = now.Add(reserveTime)
		}
		s.Reserved, s.Ahead, s.Within = true, 0, t.reserved.Sub(now)
	}
	return s
}

// allowance returns the limit for a ticket that was shown, or for one that was not.
func (t *ticket) allowance(shown, unshown time.Duration) time.Duration {
	if t.shown {
		return shown
	}
	return unshown
}

// requeue queues a ticket that left: before clients that never had a place, behind others that returned.
func (c *Control) requeue(t *ticket, now time.Time) {
	c.unlist(t)
	n := 0
	for n < len(c.queue) && c.queue[n].returned {
		n++
	}
	c.queue = slices.Insert(c.queue, n, t)
	t.state, t.queued, t.pollDue = waiting, now, now
}

// unlist removes t from the lists.
func (c *Control) unlist(t *ticket) {
	is := func(other *ticket) bool { return other == t }
	c.queue = slices.DeleteFunc(c.queue, is)
	c.returning = slices.DeleteFunc(c.returning, is)
}

func (c *Control) drop(t *ticket) {
	c.unlist(t)
	delete(c.tickets, t.id)
}

// expire drops the clients that have not polled or have waited for too long, and those that did not return in time.
func (c *Control) expire(now time.Time) {
	drop := func(list []*ticket, expired func(*ticket) bool) []*ticket {
		return slices.DeleteFunc(list, func(t *ticket) bool {
			gone := expired(t)
			if gone {
				delete(c.tickets, t.id)
			}
			return gone
		})
	}
	c.queue = drop(c.queue, func(t *ticket) bool {
		tooLong := c.limits.WaitTime > 0 && now.Sub(t.queued) > c.limits.WaitTime && !now.Before(t.reserved)
		return tooLong || !now.Before(t.pollDue.Add(t.allowance(pollTimeout, unshownTimeout)))
	})
	c.returning = drop(c.returning, func(t *ticket) bool { return !now.Before(t.gone.Add(returnTime)) })
}
