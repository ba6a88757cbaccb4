package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// progress keeps one line on a terminal up to date. nil shows nothing.
type progress struct {
	out  io.Writer
	now  func() time.Time
	unit string // what is counted

	name  string
	began time.Time // of the file
	shown time.Time
}

// show says that n of total frames are done, a few times a second; a total of 0 is unknown.
func (p *progress) show(name string, n, total int) {
	if p == nil {
		return
	}
	const interval = 250 * time.Millisecond
	now := p.now()
	if p.name != name {
		p.name, p.began, p.shown = name, now, now // the first frame, from which speed is counted
		return
	}
	if now.Sub(p.shown) < interval {
		return
	}
	p.shown = now
	speed := float64(n-1) / now.Sub(p.began).Seconds()
	if total < n {
		fmt.Fprintf(p.out, "\r\x1b[K%s: %d %s, %.0f a second", name, n, p.unit, speed)
		return
	}
	left := time.Duration(float64(total-n) / speed * float64(time.Second)).Round(time.Second)
	fmt.Fprintf(p.out, "\r\x1b[K%s: %d of %d %s (%d%%), %.0f a second, %v left", name, n, total, p.unit, 100*n/total, speed, left)
}

// clear ends a file and empties the line.
func (p *progress) clear() {
	if p == nil {
		return
	}
	p.name = ""
	fmt.Fprint(p.out, "\r\x1b[K")
}

// isTerminal says whether out is a character device, which is near enough: on others a line more does no harm.
func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
