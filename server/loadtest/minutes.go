package loadtest

import "time"

// Minute is how all sessions did in one minute of a test: a server that slows down with the hours shows it here.
type Minute struct {
	P50  *float64 `json:"p50_ms"` // null without labels
	P95  *float64 `json:"p95_ms"`
	Rate float64  `json:"labels_per_second_per_session"`
}

// minutes cuts what is counted into minutes. It keeps the sum at the latest cut only.
type minutes struct {
	before total
	cut    time.Duration // when that was, since counting began
	all    []Minute
}

// see takes the sum after a time and, when another minute is over, adds it.
func (m *minutes) see(sum *total, long time.Duration) {
	if long < time.Duration(len(m.all)+1)*time.Minute {
		return
	}
	since := sum.delays.less(&m.before.delays)
	m.all = append(m.all, Minute{
		P50: milliseconds(since, 50), P95: milliseconds(since, 95),
		Rate: rate(sum.labels-m.before.labels, sum.sessions, long-m.cut),
	})
	m.before, m.cut = *sum, long
}
