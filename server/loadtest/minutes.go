package loadtest

import "time"

// Minute has the figures of all sessions in one minute of a test. It shows whether a server slows down over hours.
type Minute struct {
	P50  *float64 `json:"p50_ms"` // null without labels
	P95  *float64 `json:"p95_ms"`
	Rate float64  `json:"labels_per_second_per_session"`
}

// minutes divides what is counted into minutes. It keeps only the sum at the end of the latest.
type minutes struct {
	before total
	cut    time.Duration // the time of before, since counting began
	all    []Minute
}

// see takes the sum after a time. It adds a minute when another is over.
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
