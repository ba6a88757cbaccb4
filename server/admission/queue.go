package admission

import "time"

func (d *Desk) room(t *ticket, load Load, now time.Time) int {
	switch {
	case d.seats > 0 && load == Over, d.seats > 0 && load == Busy && now.Sub(d.lastSeat) < settle:
		return 0
	}
	free := d.limits.Sessions - d.seats
	for _, other := range d.queue {
		if other != t && now.Before(other.held) {
			free--
		}
	}
	for _, other := range d.back {
		if other != t && now.Before(other.held) {
			free--
		}
	}
	return free
}

func (d *Desk) punctual(n int, now time.Time) (ahead int) {
	for _, t := range d.queue[:n] {
		if !now.Before(t.held) && now.Before(t.due.Add(t.late(slack, newSlack))) {
			ahead++
		}
	}
	return ahead
}

func (d *Desk) status(t *ticket, load Load, now time.Time) Status {
	n := 0
	for n < len(d.queue) && d.queue[n] != t {
		n++
	}
	s := Status{Ticket: t.id, Ahead: d.punctual(n, now), Waiting: len(d.queue)}
	s.Again = min(soonest+time.Duration(s.Ahead)*each, latest)
	t.due = now.Add(s.Again)
	if now.Before(t.held) || d.room(t, load, now) > s.Ahead {
		if !now.Before(t.held) {
			t.held = now.Add(hold)
		}
		s.Turn, s.Ahead, s.Within = true, 0, t.held.Sub(now)
	}
	return s
}

func (t *ticket) late(shown, not time.Duration) time.Duration {
	if t.shown {
		return shown
	}
	return not
}

func (s Status) Retry() time.Duration { return s.Again + newSlack }

func (d *Desk) requeue(t *ticket, now time.Time) {
	d.take(t)
	n := 0
	for n < len(d.queue) && d.queue[n].first {
		n++
	}
	d.queue = append(d.queue, nil)
	copy(d.queue[n+1:], d.queue[n:])
	d.queue[n] = t
	t.state, t.came, t.due = waiting, now, now
}

func (d *Desk) take(t *ticket) {
	d.queue = without(d.queue, t)
	d.back = without(d.back, t)
}

func (d *Desk) drop(t *ticket) {
	d.take(t)
	delete(d.tickets, t.id)
}

func (d *Desk) forget(now time.Time) {
	keep := func(list []*ticket, stays func(*ticket) bool) []*ticket {
		kept := list[:0]
		for _, t := range list {
			if stays(t) {
				kept = append(kept, t)
			} else {
				delete(d.tickets, t.id)
			}
		}
		clear(list[len(kept):])
		return kept
	}
	d.queue = keep(d.queue, func(t *ticket) bool {
		tooLong := d.limits.WaitTime > 0 && now.Sub(t.came) > d.limits.WaitTime && !now.Before(t.held)
		return !tooLong && now.Before(t.due.Add(t.late(patience, newPatience)))
	})
	d.back = keep(d.back, func(t *ticket) bool { return now.Before(t.gone.Add(comeback)) })
}

func without(list []*ticket, t *ticket) []*ticket {
	for i := range list {
		if list[i] == t {
			return append(list[:i], list[i+1:]...)
		}
	}
	return list
}
