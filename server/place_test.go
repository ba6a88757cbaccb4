package server

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"mindflow/pipeline"
	"mindflow/pipeline/testkit"
	"mindflow/server/access"
	"mindflow/server/ports"
	"mindflow/server/servertest"
	"mindflow/server/whipclient"
)

// offer posts an offer with a ticket, "" is none.
func (s *Server) offer(t *testing.T, ticket string) (*http.Response, string) {
	t.Helper()
	return s.call(t, with(offerCall(servertest.Lines(servertest.Offer)), ticketHeader, ticket))
}

// asks returns the status of a queued visitor.
func (s *Server) asks(t *testing.T, ticket string) Queued {
	t.Helper()
	res, body := s.call(t, with(call{"GET", "/waiting", nil, ""}, ticketHeader, ticket))
	var q struct {
		V int
		Queued
	}
	if err := json.Unmarshal([]byte(body), &q); err != nil || res.StatusCode != http.StatusOK || q.V != 1 ||
		res.Header.Get("Retry-After") == "" {
		t.Fatalf("status %d: %s", res.StatusCode, body)
	}
	return q.Queued
}

// A full server has newcomers wait in turn, and the first of them gets the place that is left.
func TestWaiting(t *testing.T) {
	s := begin(t, idle(), func(c *Config) { c.MaxSessions, c.MaxWaiting = 1, 2 })
	first, _ := s.offer(t, "")
	if first.Header.Get(ticketHeader) == "" {
		t.Error("who has a place has no ticket to come back with")
	}
	var tickets []string
	for i := range 2 {
		res, body := s.offer(t, "")
		var p problem
		p.Queued = &Queued{}
		if err := json.Unmarshal([]byte(body), &p); err != nil || res.StatusCode != 503 ||
			p.Type != "urn:mindflow:waiting" ||
			p.Ahead != i ||
			p.Waiting != i+1 ||
			res.Header.Get("Retry-After") == "" ||
			strings.Contains(body, res.Header.Get(ticketHeader)) {
			t.Fatalf("newcomer %d: status %d, %v: %s", i, res.StatusCode, err, body)
		}
		tickets = append(tickets, res.Header.Get(ticketHeader))
	}
	if res, body := s.offer(t, ""); res.StatusCode != 503 || res.Header.Get(ticketHeader) != "" ||
		!strings.Contains(body, "waiting room") {
		t.Errorf("the room is full: status %d: %s", res.StatusCode, body)
	}
	if q := s.asks(t, tickets[1]); q.Ahead != 1 || q.Turn {
		t.Errorf("%+v", q)
	}
	s.call(t, call{"DELETE", sessionPath(t, first), nil, ""})
	if res, body := s.offer(t, tickets[1]); res.StatusCode != 503 {
		t.Errorf("the second jumps: %d: %s", res.StatusCode, body)
	}
	if q := s.asks(t, tickets[0]); !q.Turn || q.WithinMS <= 0 {
		t.Errorf("%+v", q)
	}
	second, body := s.offer(t, tickets[0])
	if second.StatusCode != http.StatusCreated {
		t.Fatalf("status %d: %s", second.StatusCode, body)
	}
	if res, _ := s.call(t, with(call{"DELETE", "/waiting", nil, ""}, ticketHeader,
		tickets[1])); res.StatusCode != http.StatusNoContent {
		t.Errorf("leaving: status %d", res.StatusCode)
	}
	for _, gone := range []string{tickets[1], tickets[0], "", "made-up"} {
		if res, body := s.call(t, with(call{"GET", "/waiting", nil, ""}, ticketHeader,
			gone)); res.StatusCode != http.StatusNotFound {
			t.Errorf("asking with a ticket that waits for nothing: status %d: %s", res.StatusCode, body)
		}
	}
	// A visitor that has a place and comes again keeps that place. The earlier session ends.
	third, body := s.offer(t, tickets[0])
	if third.StatusCode != http.StatusCreated || s.Stats().Sessions != 1 {
		t.Errorf("status %d: %s", third.StatusCode, body)
	}
	if res, _ := s.call(t, call{"GET", sessionPath(t, second), nil, ""}); res.StatusCode != http.StatusNotFound {
		t.Errorf("the session before: status %d", res.StatusCode)
	}
	s.call(t, call{"DELETE", sessionPath(t, third), nil, ""})
	if res, body := s.offer(t, tickets[0]); res.StatusCode != http.StatusCreated { // stopped, and started
		t.Errorf("status %d: %s", res.StatusCode, body)
	}
}

// The waiting room is for those who may in, and a ticket is its owner's.
func TestWaitingNeedsToken(t *testing.T) {
	gate, sign := keyed(t)
	s := begin(t, idle(), func(c *Config) { c.MaxSessions, c.MaxWaiting, c.Access = 1, 5, gate })
	ada, bob := "Bearer "+sign(access.Claims{Subject: "ada"}), "Bearer "+sign(access.Claims{Subject: "bob"})
	offer := func(token, ticket string) *http.Response {
		res, _ := s.call(
			t,
			with(with(offerCall(servertest.Lines(servertest.Offer)), "Authorization", token), ticketHeader, ticket),
		)
		return res
	}
	first := offer(ada, "")
	ticket := offer(bob, "").Header.Get(ticketHeader)
	for _, row := range []struct {
		method, token, ticket string
		status                int
	}{
		{"GET", "", ticket, 401}, {"DELETE", "", ticket, 401}, {"GET", ada, ticket, 404}, {"DELETE", ada, ticket,
			204}, {"GET", bob, ticket, 200},
	} {
		if res, body := s.call(t, with(with(call{row.method, "/waiting", nil, ""}, "Authorization", row.token),
			ticketHeader, row.ticket)); res.StatusCode != row.status {
			t.Errorf("%s: status %d, want %d: %s", row.method, res.StatusCode, row.status, body)
		}
	}
	// ada's place is not bob's to take over
	if res := offer(bob, first.Header.Get(ticketHeader)); res.StatusCode != 503 {
		t.Errorf("status %d", res.StatusCode)
	}
	if n := s.Stats().Sessions; n != 1 {
		t.Errorf("%d sessions", n)
	}
}

func TestLimitsOfOneVisitor(t *testing.T) {
	gate, sign := keyed(t)
	proxies, err := ports.ParseProxies([]string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	s := begin(t, idle(), func(c *Config) { c.MaxPerAddress, c.MaxPerKey, c.Access, c.Proxies = 2, 3, gate, proxies })
	two := sign(access.Claims{Subject: "two", MaxSessions: 2})
	for i, row := range []struct {
		token, from string
		status      int
		kind        string
	}{
		{sharedToken, "192.0.2.1", 201, ""},
		{sharedToken, "192.0.2.1", 201, ""},
		{sharedToken, "192.0.2.1", 429, "urn:mindflow:limit-per-address"},
		// the first was the client's to write
		{sharedToken, "198.51.100.9, 192.0.2.1", 429, "urn:mindflow:limit-per-address"},
		{sharedToken, "192.0.2.2", 201, ""},
		{sharedToken, "192.0.2.3", 429, "urn:mindflow:limit-per-key"},
		{otherToken, "2001:db8:0:1::1", 201, ""},
		{otherToken, "2001:db8:0:1:ffff::2", 201, ""},
		{otherToken, "2001:db8:0:1::3", 429, "urn:mindflow:limit-per-address"}, // one household's
		{otherToken, "2001:db8:0:2::1", 201, ""},
		{two, "192.0.2.4", 201, ""},
		{two, "192.0.2.5", 201, ""},
		{two, "192.0.2.6", 429, "urn:mindflow:limit-per-key"}, // its claim, not --max-per-key
	} {
		c := with(
			with(offerCall(servertest.Lines(servertest.Offer)), "Authorization", "Bearer "+row.token),
			"X-Forwarded-For",
			row.from,
		)
		res, body := s.call(t, c)
		if res.StatusCode != row.status ||
			row.kind != "" && (!strings.Contains(body, row.kind) || res.Header.Get("Retry-After") == "") {
			t.Errorf("%d, from %s: status %d, want %d %s: %s", i, row.from, res.StatusCode, row.status, row.kind, body)
		}
	}
}

// An X-Forwarded-For that nobody vouches for is said once, and not believed.
func TestUntrustedProxy(t *testing.T) {
	var log safeLog
	s := begin(t, idle(), func(c *Config) { c.Log = log.logger() })
	for range 3 {
		s.call(t, with(offerCall(""), "X-Forwarded-For", "192.0.2.1"))
	}
	if n := strings.Count(log.String(), "X-Forwarded-For is ignored"); n != 1 {
		t.Errorf("it was said %d times", n)
	}
}

// The longest session ends with a word.
func TestSessionTime(t *testing.T) {
	gate, sign := keyed(t)
	units := testkit.TestSource(t, pipeline.VP8, 160, 120, 10)
	s := begin(t, decoding(servertest.OneFace{}), func(c *Config) { c.Access, c.SessionTime = gate, time.Hour })
	p := dial(
		t,
		s,
		whipclient.Options{
			Codec: pipeline.VP8,
			Token: sign(access.Claims{Subject: "ada", SessionTime: 5 * time.Second}),
		},
	) // of which connecting is a part
	p.Stream(units)
	p.Hello()
	if why := p.Bye(); why != "time" {
		t.Errorf("it ended because of %q", why)
	}
	servertest.WaitFor(t, "the session to end", func() bool { return s.Stats().Sessions == 0 })
}

// While sessions get fewer labels than they should, newcomers wait; a server that is empty takes them all the same.
func TestBusyMachine(t *testing.T) {
	s := begin(t, idle(), func(c *Config) { c.MaxSessions, c.MaxWaiting, c.MinLabels = 8, 8, 10 })
	slow := func() {
		for range 20 {
			s.load.Add(time.Second, time.Now())
		}
	}
	slow()
	if res, body := s.offer(t, ""); res.StatusCode != http.StatusCreated {
		t.Fatalf("the first: status %d: %s", res.StatusCode, body)
	}
	slow()
	res, body := s.offer(t, "")
	if res.StatusCode != 503 || !strings.Contains(body, "urn:mindflow:waiting") {
		t.Errorf("status %d: %s", res.StatusCode, body)
	}
	for range 10_000 {
		s.load.Add(0, time.Now())
	}
	if q := s.asks(t, res.Header.Get(ticketHeader)); !q.Turn {
		t.Errorf("it is idle again: %+v", q)
	}
}

// The load meter measures the time of the analysis.
func TestLoadMeterMeasures(t *testing.T) {
	units := testkit.TestSource(t, pipeline.VP8, 160, 120, 30)
	s := begin(t, decoding(servertest.OneFace{}), func(c *Config) { c.MinLabels = 0.001 })
	p := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
	p.Stream(units)
	p.Label("labels", servertest.Any)
	servertest.WaitFor(t, "frames to be measured", func() bool {
		return s.load.Rate(time.Now()) < 1e6
	})
}
