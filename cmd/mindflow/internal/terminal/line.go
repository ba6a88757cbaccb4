package terminal

import (
	"fmt"
	"io"
	"time"
)

// ClearLine goes back to the start of a terminal's line and empties it.
const ClearLine = "\r\x1b[K"

// Line keeps one line of a terminal up to date. Elsewhere it shows nothing.
type Line struct {
	out      io.Writer // nil where it is no terminal
	interval time.Duration
	now      func() time.Time
	shown    time.Time // zero where the line is empty
}

// NewLine returns a line on out that changes once an interval at most.
func NewLine(out io.Writer, interval time.Duration) *Line {
	if !Is(out) {
		out = nil
	}
	return &Line{out: out, interval: interval, now: time.Now}
}

// Show replaces the line, unless it was replaced just before.
func (l *Line) Show(text string) {
	if now := l.now(); l.out != nil && now.Sub(l.shown) >= l.interval {
		l.shown = now
		fmt.Fprint(l.out, ClearLine, text)
	}
}

// Clear empties the line.
func (l *Line) Clear() {
	if l.out != nil && !l.shown.IsZero() {
		fmt.Fprint(l.out, ClearLine)
		l.shown = time.Time{}
	}
}

// Frames shows how far the work on a file is, and how fast. A nil Frames shows nothing.
type Frames struct {
	line *Line
	unit string // what is counted

	name  string
	began time.Time // of the file
}

// NewFrames returns the progress on out of things that unit names in the plural.
func NewFrames(out io.Writer, unit string) *Frames {
	return &Frames{line: NewLine(out, 250*time.Millisecond), unit: unit}
}

// Show shows that n of total things of a file are done. A total of 0 is unknown.
func (f *Frames) Show(name string, n, total int) {
	if f == nil || f.line.out == nil {
		return
	}
	now := f.line.now()
	if f.name != name {
		f.name, f.began, f.line.shown = name, now, now // the first thing, from which speed is counted
		return
	}
	speed := float64(n-1) / now.Sub(f.began).Seconds()
	if total < n {
		f.line.Show(fmt.Sprintf("%s: %d %s, %.0f a second", name, n, f.unit, speed))
		return
	}
	left := time.Duration(float64(total-n) / speed * float64(time.Second)).Round(time.Second)
	f.line.Show(fmt.Sprintf("%s: %d of %d %s (%d%%), %.0f a second, %v left", name, n, total, f.unit, 100*n/total,
		speed, left))
}

// Clear ends a file and empties the line.
func (f *Frames) Clear() {
	if f != nil {
		f.name = ""
		f.line.Clear()
	}
}

// Bytes shows how far a download is.
type Bytes struct {
	line  *Line
	name  string
	began time.Time
	first int64 // bytes that were there when it began
}

// NewBytes returns the progress on out of a download.
func NewBytes(out io.Writer, name string) *Bytes {
	return &Bytes{line: NewLine(out, 100*time.Millisecond), name: name}
}

// Show shows that done of total bytes are there. A total of 0 is unknown.
func (b *Bytes) Show(done, total int64) {
	const width = 30
	now := b.line.now()
	if b.began.IsZero() {
		b.began, b.first = now, done
	}
	if done == total {
		b.line.shown = time.Time{} // the last state is shown in any case
	}
	speed := float64(done-b.first) / max(now.Sub(b.began).Seconds(), 0.001)
	if total <= 0 {
		b.line.Show(fmt.Sprintf("%s %s, %s a second", b.name, Megabytes(done), Megabytes(int64(speed))))
		return
	}
	full := int(width * min(done, total) / total)
	b.line.Show(fmt.Sprintf("%s [%s%s] %s of %s, %s a second", b.name, "##############################"[:full],
		"                              "[full:], Megabytes(done), Megabytes(total), Megabytes(int64(speed))))
}

// Clear empties the line.
func (b *Bytes) Clear() { b.line.Clear() }

// Megabytes formats a number of bytes.
func Megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
