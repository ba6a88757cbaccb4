package terminal

import (
	"strings"
	"testing"
	"time"
)

// clock is a time that a test sets.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

// played returns a line on out, which plays a terminal.
func played(out *strings.Builder, interval time.Duration) (*Line, *clock) {
	c := &clock{at: time.Unix(0, 0)}
	return &Line{out: out, interval: interval, now: c.now}, c
}

// TestLine: on a terminal a line changes a few times a second. Elsewhere nothing is shown.
func TestLine(t *testing.T) {
	var out strings.Builder
	l, c := played(&out, 100*time.Millisecond)
	l.Show("one")
	c.at = c.at.Add(50 * time.Millisecond)
	l.Show("two")
	l.Clear()
	l.Show("three")
	if want := "\r\x1b[Kone\r\x1b[K\r\x1b[Kthree"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
	out.Reset()
	elsewhere := NewLine(&out, 0)
	elsewhere.Show("one")
	elsewhere.Clear()
	if out.String() != "" || Is(&out) {
		t.Errorf("a builder is no terminal: %q", out.String())
	}
}

func TestFrames(t *testing.T) {
	var out strings.Builder
	line, c := played(&out, 250*time.Millisecond)
	p := &Frames{line: line, unit: "frames"}
	for n := range 21 {
		p.Show("a.mp4", n+1, 101)
		c.at = c.at.Add(100 * time.Millisecond)
	}
	p.Show("a.mp4", 200, 101)
	p.Clear()
	shown := strings.Split(out.String(), "\r\x1b[K")
	if len(shown) != 9 || shown[1] != "a.mp4: 4 of 101 frames (3%), 10 a second, 10s left" || shown[8] != "" {
		t.Errorf("%q", shown)
	}
	(*Frames)(nil).Show("a.mp4", 1, 2) // not on a terminal
	(*Frames)(nil).Clear()
}

func TestBytes(t *testing.T) {
	var out strings.Builder
	line, c := played(&out, 100*time.Millisecond)
	b := &Bytes{line: line, name: "little"}
	b.Show(1e6, 4e6)
	c.at = c.at.Add(2 * time.Second)
	b.Show(3e6, 4e6)
	c.at = c.at.Add(time.Millisecond)
	b.Show(3.1e6, 4e6) // too soon to be shown
	lines := strings.Split(out.String(), "\r\x1b[K")
	want := []string{"", "little [#######                       ] 1.0 MB of 4.0 MB, 0.0 MB a second",
		"little [######################        ] 3.0 MB of 4.0 MB, 1.0 MB a second"}
	if len(lines) != len(want) {
		t.Fatalf("showed %q", lines)
	}
	for i := range want {
		if lines[i] != want[i] {
			t.Errorf("showed %q, want %q", lines[i], want[i])
		}
	}
}
