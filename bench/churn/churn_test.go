package churn

import (
	"errors"
	"maps"
	"strings"
	"testing"
)

func TestWaysToLeave(t *testing.T) {
	// A third of the visitors leave abruptly, in each way as many, by a browser half as many.
	var counts tally
	for i := range 720 {
		how := byDelete
		if i%abruptEach == 0 {
			how = abrupt[i/abruptEach%len(abrupt)]
		}
		counts.add(how, nil)
	}
	want := tally{byDelete: 480, noDelete: 60, midway: 60, killed: 60, browserEnd: 30, browserMid: 30}
	if !maps.Equal(counts, want) {
		t.Errorf("%v, want %v", counts, want)
	}
	counts.add(killed, errors.New("made by the test"))
	if !strings.Contains(counts.String(), "1 process killed, failed") {
		t.Errorf("%v", counts)
	}
}

func TestCheck(t *testing.T) {
	before := &state{goroutines: 13, sockets: 4, files: 12, rss: 350e6, heap: 9e6,
		ended: map[string]float64{"deleted": 60}}
	for name, row := range map[string]struct {
		change func(*state)
		want   string // "" is well
	}{
		"the same":          {func(*state) {}, ""},
		"less":              {func(s *state) { s.rss, s.goroutines = 300e6, 12 }, ""},
		"a little more":     {func(s *state) { s.rss, s.goroutines, s.heap = 366e6, 14, 9.4e6 }, ""},
		"memory":            {func(s *state) { s.rss = 380e6 }, "memory in all"},
		"heap":              {func(s *state) { s.heap = 10e6 }, "heap"},
		"goroutines":        {func(s *state) { s.goroutines = 15 }, "goroutines: 13 before, 15 after"},
		"a socket":          {func(s *state) { s.sockets = 5 }, "sockets"},
		"a decoder":         {func(s *state) { s.objects = 1 }, "objects in C"},
		"a session":         {func(s *state) { s.sessions = 1 }, "sessions: 0 before, 1 after"},
		"several at a time": {func(s *state) { s.sessions, s.objects = 1, 1 }, "objects in C"},
	} {
		after := *before
		row.change(&after)
		err := after.check(before)
		if (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	after := *before
	after.rss, after.ended = 353.5e6, map[string]float64{"deleted": 700, "no-media": 5}
	const line = "| memory in all (RSS), MB | 350 | 353.5 | +1.0 % | 350 | +0.0 % |"
	if text := table([]*state{before, &after, before}); !strings.Contains(text, line) {
		t.Error(text)
	}
	grown := after
	grown.rss = 380e6
	err := check([]*state{before, &after, &grown})
	if err == nil || !strings.Contains(err.Error(), "round 2: memory in all") {
		t.Error(err)
	}
	if text := after.ends(before); text != "The server ended them as 5 `no-media`, 640 `deleted`." {
		t.Error(text)
	}
}
