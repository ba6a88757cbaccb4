package whipclient

import (
	"slices"
	"strings"
	"testing"
	"time"

	"mindflow/pipeline"
)

func TestReadEvents(t *testing.T) {
	const stream = "retry: 1000\n\nevent: hello\ndata: {\"type\":\"hello\"}\n\n" +
		": a comment\n\nid: 1\ndata: one\n\ndata:two\ndata: lines\n\nevent: bye\ndata: {}\n\ndata: cut"
	var got []string
	if err := readEvents(strings.NewReader(stream), func(data []byte) { got = append(got, string(data)) }); err != nil {
		t.Error(err)
	}
	if want := []string{"one", "twolines"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for name, stream := range map[string]string{
		"a long line":   "data: " + strings.Repeat("x", 2*maxAnswer),
		"many of them":  strings.Repeat("data: "+strings.Repeat("x", maxAnswer/3)+"\n", 4),
		"an event type": "event: " + strings.Repeat("x", 2*maxAnswer),
	} {
		if err := readEvents(strings.NewReader(stream), func([]byte) { t.Errorf("%s was taken", name) }); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// What comes both ways is passed on once, and what is stuck does not count as a channel that works.
func TestTakeBothWays(t *testing.T) {
	c := &Client{labels: make(chan pipeline.Message, labelQueue), fallback: fallback{heard: make(chan struct{}, 1)}}
	text := func(seq string) []byte { return []byte(`{"v":1,"seq":` + seq + `}`) }
	heard := func() bool {
		select {
		case <-c.fallback.heard:
			return true
		default:
			return false
		}
	}
	for _, step := range []struct {
		seq    string
		byHTTP bool
		heard  bool
	}{
		{"1", false, true}, {"2", false, true},
		{"2", true, false}, {"3", true, false}, {"9", true, false},
		{"3", false, false}, {"4", false, false}, // they were stuck
		{"7", false, true}, {"10", false, true}, {"12", false, true}, {"11", false, true},
	} {
		c.take(text(step.seq), step.byHTTP)
		if got := heard(); got != step.heard {
			t.Errorf("%s, by HTTP %t: heard %t", step.seq, step.byHTTP, got)
		}
	}
	var seqs []uint64
	for len(c.labels) > 0 {
		seqs = append(seqs, (<-c.labels).Seq)
	}
	if want := []uint64{1, 2, 3, 9, 10, 12, 11}; !slices.Equal(seqs, want) {
		t.Errorf("passed on %v, want %v", seqs, want)
	}
}

func TestStall(t *testing.T) {
	s, now := newStall(), time.Unix(0, 0)
	every := func(interval time.Duration) time.Duration {
		for range 100 {
			now = now.Add(interval)
			s.heard(now)
		}
		return s.patience().Round(10 * time.Millisecond)
	}
	for _, row := range []struct{ interval, patience time.Duration }{
		{33 * time.Millisecond, leastPatience},
		{100 * time.Millisecond, 600 * time.Millisecond},
		{time.Second, mostPatience},
		{10 * time.Second, mostPatience},
		{33 * time.Millisecond, leastPatience},
	} {
		if got := every(row.interval); got != row.patience {
			t.Errorf("every %v: patience of %v, want %v", row.interval, got, row.patience)
		}
	}
}
