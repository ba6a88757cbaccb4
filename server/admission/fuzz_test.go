package admission

import (
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"
)

func FuzzDesk(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0x41, 0x80, 0xc0, 0xff, 1, 2, 3})
	f.Add([]byte("come and go, wait and ask"))
	f.Fuzz(func(t *testing.T, deeds []byte) {
		l := Limits{Sessions: 3, PerAddress: 4, Waiting: 5, WaitTime: time.Minute, SessionTime: 2 * time.Minute}
		d, now := NewDesk(l), noon
		var places []*Place
		tickets := []string{"", "made up"}
		for _, b := range deeds {
			n := int(b >> 3)
			v := Visitor{Ticket: tickets[n%len(tickets)]}
			if n%2 == 0 {
				v.Address = netip.MustParsePrefix("192.0.2.1/32")
			}
			switch b & 7 {
			case 0, 1:
				p, err := d.Enter(v, Load(n%3), now)
				var w *WaitError
				if err == nil {
					places, tickets = append(places, p), append(tickets, p.Ticket)
				} else if errors.As(err, &w) {
					tickets = append(tickets, w.Status.Ticket)
				}
			case 2:
				if s, err := d.Ask(v, Load(n%3), now); err == nil && (s.Ahead < 0 || s.Ahead >= s.Waiting || s.Again <= 0) {
					t.Fatalf("%+v", s)
				}
			case 3:
				d.Leave(v, now)
			case 4, 5:
				if len(places) > 0 {
					d.Rise(places[0], n%2 == 0, n%4 == 0, now)
					places = places[1:]
				}
			default:
				now = now.Add(time.Duration(n) * time.Second)
			}
			held := 0
			for _, x := range slices.Concat(d.queue, d.back) {
				if now.Before(x.held) {
					held++
				}
			}
			if d.Seated() != len(places) || d.Seated()+held > l.Sessions || len(d.tickets) != d.seats+len(d.queue)+len(d.back) ||
				len(d.queue) > l.Waiting+l.Sessions || len(d.back) > l.Sessions {
				t.Fatalf("%d seats of %d places, %d kept, %d wait, %d left, %d tickets", d.seats, len(places), held, len(d.queue), len(d.back), len(d.tickets))
			}
		}
	})
}
