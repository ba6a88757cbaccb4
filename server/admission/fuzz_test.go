package admission

import (
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"
)

// FuzzControl makes clients request, poll, leave and return places in any order, one byte a step. No more places are
// given than there are, and no ticket is lost or left over.
func FuzzControl(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0x41, 0x80, 0xc0, 0xff, 1, 2, 3})
	f.Add([]byte("come and go, wait and ask"))
	f.Fuzz(func(t *testing.T, deeds []byte) {
		l := Limits{Sessions: 3, PerAddress: 4, Waiting: 5, WaitTime: time.Minute, SessionTime: 2 * time.Minute}
		load := Idle
		c, now := NewControl(l, func(time.Time) Load { return load }), noon
		var places []*Place
		tickets := []string{"", "made up"}
		for _, b := range deeds {
			n := int(b >> 3)
			load = Load(n % 3)
			v := Client{Ticket: tickets[n%len(tickets)]}
			if n%2 == 0 {
				v.Address = netip.MustParsePrefix("192.0.2.1/32")
			}
			switch b & 7 {
			case 0, 1:
				p, err := c.Admit(v, now)
				var w *WaitError
				if err == nil {
					places, tickets = append(places, p), append(tickets, p.Ticket)
				} else if errors.As(err, &w) {
					tickets = append(tickets, w.Status.Ticket)
				}
			case 2:
				if s, err := c.Poll(v, now); err == nil && (s.Ahead < 0 || s.Ahead >= s.Waiting || s.PollAfter <= 0) {
					t.Fatalf("%+v", s)
				}
			case 3:
				c.Leave(v, now)
			case 4, 5:
				if len(places) > 0 {
					c.Release(places[0], n%2 == 0, n%4 == 0, now)
					places = places[1:]
				}
			default:
				now = now.Add(time.Duration(n) * time.Second)
			}
			held := 0
			for _, x := range slices.Concat(c.queue, c.returning) {
				if now.Before(x.reserved) {
					held++
				}
			}
			if c.places != len(places) || c.places+held > l.Sessions ||
				len(c.tickets) != c.places+len(c.queue)+len(c.returning) ||
				len(c.queue) > l.Waiting+l.Sessions || len(c.returning) > l.Sessions {
				t.Fatalf("%d places of %d, %d kept, %d wait, %d left, %d tickets", c.places, len(places), held,
					len(c.queue), len(c.returning), len(c.tickets))
			}
		}
	})
}
