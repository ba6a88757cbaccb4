package receive

import (
	"slices"
	"testing"
	"time"
)

func TestNACKs(t *testing.T) {
	var r nacks
	at := func(ms int) time.Time { return time.Unix(1000, 0).Add(time.Duration(ms) * time.Millisecond) }
	for _, row := range []struct {
		ms            int
		missing, want []uint16
	}{
		{0, []uint16{65535, 0}, []uint16{65535, 0}}, // at once
		{10, []uint16{65535, 0, 3}, []uint16{3}},    // not again so soon
		{40, []uint16{0, 3}, []uint16{0}},           // one came
		{50, []uint16{0, 3}, []uint16{3}},
		{60, nil, nil},
		{70, []uint16{0}, []uint16{0}}, // the number again, of another packet
	} {
		if got := r.due(row.missing, at(row.ms)); !slices.Equal(got, row.want) {
			t.Errorf("at %d ms: asks for %v, want %v", row.ms, got, row.want)
		}
	}
	asked := 0
	for ms := 1000; ms < 3000; ms += 5 {
		asked += len(r.due([]uint16{7}, at(ms)))
	}
	if asked != nackAttempts {
		t.Errorf("asked %d times for one packet, want %d", asked, nackAttempts)
	}
	many := make([]uint16, 4*nackMost)
	for i := range many {
		many[i] = uint16(100 + i)
	}
	if n := len(r.due(many, at(4000))); n != nackMost || len(r.requested) != n {
		t.Errorf("asks for %d at once and remembers %d", n, len(r.requested))
	}
}
