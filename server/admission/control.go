// Package admission decides who gets a session. The number of sessions is bounded: in all, of one address and of one
// key. When all places are taken, clients queue in the order in which they came. Time is passed in, and the package
// knows nothing of the network.
package admission

import (
	"crypto/rand"
	"net/netip"
	"sync"
	"time"
)

// Limits bound the sessions and the queue. Zero means unlimited, except for Sessions and Waiting.
type Limits struct {
	Sessions    int           // at a time
	PerAddress  int           // admitted and queued, of one address
	PerKey      int           // admitted and queued, of one key whose Client.PerKey is zero
	Waiting     int           // queued at a time; zero disables the queue
	WaitTime    time.Duration // in the queue
	SessionTime time.Duration // of a session, unless Client.SessionTime is shorter
}

// Client identifies the visitor that a request for a session comes from.
type Client struct {
	Address     netip.Prefix  // the network that counts as one address; optional
	Key         string        // the subject of its token; optional
	PerKey      int           // sessions of this key at a time; zero means Limits.PerKey
	SessionTime time.Duration // of a session; zero means Limits.SessionTime
	Ticket      string        // from an earlier answer; optional
}

// Place is the right of an admitted client to hold a session. Give it back with Control.Release.
type Place struct {
	Ticket string
	Until  time.Time // when the session must end; zero means never

	holder *ticket
}

// Control admits clients. It is safe for concurrent use.
type Control struct {
	limits Limits
	load   func(now time.Time) Load

	mu           sync.Mutex
	tickets      map[string]*ticket // guarded by mu: all, by id
	queue        []*ticket          // guarded by mu: waiting, in the order of admission
	returning    []*ticket          // guarded by mu: that left, the oldest first; at most Limits.Sessions
	places       int                // guarded by mu: taken
	lastAdmitted time.Time          // guarded by mu
}

// NewControl returns a Control without sessions. load reports how busy the machine is.
func NewControl(l Limits, load func(now time.Time) Load) *Control {
	return &Control{limits: l, load: load, tickets: map[string]*ticket{}}
}

// Waiting returns the number of queued clients.
func (c *Control) Waiting(now time.Time) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expire(now)
	return len(c.queue)
}

// Admit gives a client a place. The error is a *WaitError when the client is queued, or a *RefusedError.
func (c *Control) Admit(client Client, now time.Time) (*Place, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, err := c.request(client, now)
	if err != nil {
		return nil, err
	}
	if t == nil {
		t = c.issue(client, now)
	}
	c.unlist(t)
	t.state, t.address, t.reserved = admitted, client.Address, time.Time{}
	if t.started.IsZero() {
		t.started = now
	}
	c.places++
	c.lastAdmitted = now
	place := &Place{Ticket: t.id, holder: t}
	if longest := c.limits.sessionTime(client); longest > 0 {
		place.Until = t.started.Add(longest)
	}
	return place, nil
}

// Check returns the error that Admit would return, without taking the place.
func (c *Control) Check(client Client, now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.request(client, now)
	return err
}

// Poll returns a queued client's status. The error is a *RefusedError when its ticket is not in the queue.
func (c *Control) Poll(client Client, now time.Time) (Status, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expire(now)
	t := c.find(client)
	if t == nil || t.state == admitted {
		return Status{}, &RefusedError{UnknownTicket, "this ticket waits for nothing; ask for a place anew", 0}
	}
	if t.state == left {
		c.requeue(t, now)
	}
	return c.status(t, now), nil
}

// Leave removes a client from the queue.
func (c *Control) Leave(client Client, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.find(client); t != nil && t.state != admitted {
		c.drop(t)
	}
	c.expire(now)
}

// HasPlace reports whether the client's ticket holds a place: a client that lost its connection can return before the
// server has noticed the loss.
func (c *Control) HasPlace(client Client) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.find(client)
	return t != nil && t.state == admitted
}

// Release takes a place back. For returnTime a client that mayReturn, as after a broken connection, precedes the queue;
// replaced reserves the place for it. A second Release has no effect.
func (c *Control) Release(place *Place, mayReturn, replaced bool, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := place.holder
	if t == nil {
		return
	}
	place.holder = nil
	c.places--
	if !mayReturn || !place.Until.IsZero() && !now.Before(place.Until) {
		delete(c.tickets, t.id)
		c.expire(now)
		return
	}
	t.state, t.gone, t.returned = left, now, true
	if replaced {
		t.reserved = now.Add(reserveTime)
	}
	c.returning = append(c.returning, t)
	if len(c.returning) > c.limits.Sessions {
		c.drop(c.returning[0])
	}
	c.expire(now)
}

// request reports whether a client may be admitted now, and queues it if not. t is its ticket, nil for a new client. It
// is called with mu, as are all functions below.
func (c *Control) request(client Client, now time.Time) (t *ticket, err error) {
	c.expire(now)
	if t = c.find(client); t != nil && t.state == admitted { // a second use of the ticket is a new client
		t = nil
	}
	if err := c.checkLimits(client, t, now); err != nil {
		return nil, err
	}
	if t != nil && t.state == left {
		c.requeue(t, now)
	}
	if t == nil && c.free(nil, now) > c.punctual(len(c.queue), now) {
		return nil, nil
	}
	if t == nil {
		if len(c.queue) >= c.limits.Waiting {
			why := "the server is full, and so is its waiting room; try again later"
			if c.limits.Waiting == 0 {
				why = "the server is full; try again later"
			}
			return nil, &RefusedError{QueueFull, why, pollMax}
		}
		t = c.issue(client, now)
		c.queue = append(c.queue, t)
	}
	if s := c.status(t, now); !s.Reserved {
		return nil, &WaitError{s}
	}
	return t, nil
}

// checkLimits applies the limits of one address and one key. own is the client's ticket, which does not count; it may
// be nil.
func (c *Control) checkLimits(client Client, own *ticket, now time.Time) error {
	perKey := client.PerKey
	if perKey == 0 {
		perKey = c.limits.PerKey
	}
	address, key := 0, 0
	for _, t := range c.tickets {
		if t == own || t.state == left && !now.Before(t.reserved) {
			continue
		}
		if t.address == client.Address {
			address++
		}
		if t.key == client.Key {
			key++
		}
	}
	switch {
	case client.Key != "" && perKey > 0 && key >= perKey:
		return &RefusedError{PerKey,
			"all the sessions that this token may have are taken; end one, or wait for it to end", limitRetry}
	case client.Address.IsValid() && c.limits.PerAddress > 0 && address >= c.limits.PerAddress:
		return &RefusedError{PerAddress,
			"all the sessions that one network address may have here are taken; end one, or wait for it to end",
			limitRetry}
	}
	return nil
}

// find returns the client's ticket, or nil. A ticket with another key belongs to another client.
func (c *Control) find(client Client) *ticket {
	t := c.tickets[client.Ticket]
	if t == nil || t.key != client.Key {
		return nil
	}
	t.shown = true
	return t
}

func (c *Control) issue(client Client, now time.Time) *ticket {
	t := &ticket{id: rand.Text(), key: client.Key, address: client.Address, queued: now, pollDue: now}
	c.tickets[t.id] = t
	return t
}

// sessionTime returns the longest session of a client; zero means unlimited.
func (l Limits) sessionTime(client Client) time.Duration {
	if client.SessionTime > 0 && (l.SessionTime == 0 || client.SessionTime < l.SessionTime) {
		return client.SessionTime
	}
	return l.SessionTime
}
