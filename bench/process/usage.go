package process

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Usage is what a process has used up to a time.
type Usage struct {
	At  time.Time
	CPU time.Duration // of all its threads, in the kernel too
	RSS int64         // bytes of memory that it has now
}

// Usage asks the kernel, as proc(5) says.
func (s *Server) Usage() (Usage, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return Usage{}, errors.Join(s.Alive(), err)
	}
	return parseStat(string(text), time.Now())
}

func parseStat(text string, at time.Time) (Usage, error) {
	const tick = time.Second / 100 // of the kernel's towards programs, on all machines
	end := strings.LastIndexByte(text, ')')
	fields := strings.Fields(text[end+1:]) // from the third on, since the second may hold anything
	if end < 0 || len(fields) < 22 {
		return Usage{}, fmt.Errorf("/proc/PID/stat is %q", text)
	}
	number := func(field int) int64 {
		n, failed := strconv.ParseInt(fields[field-3], 10, 64)
		if failed != nil {
			end = -1
		}
		return n
	}
	u := Usage{At: at, CPU: time.Duration(number(14)+number(15)) * tick, RSS: number(24) * int64(os.Getpagesize())}
	if end < 0 {
		return Usage{}, fmt.Errorf("/proc/PID/stat is %q", text)
	}
	return u, nil
}

// Watch looks at the server's usage five times a second until stop, which gives what was seen.
func (s *Server) Watch() (stop func() []Usage) {
	over, done := make(chan struct{}), make(chan []Usage)
	go func() {
		var seen []Usage
		look := time.NewTicker(200 * time.Millisecond)
		defer look.Stop()
		for {
			select {
			case <-over:
				done <- seen
				return
			case <-look.C:
				if u, err := s.Usage(); err == nil { // where the server has ended, others say so
					seen = append(seen, u)
				}
			}
		}
	}()
	return func() []Usage { close(over); return <-done }
}

// Within are those that were seen in a time.
func Within(seen []Usage, from time.Time, long time.Duration) (within []Usage) {
	for _, u := range seen {
		if !u.At.Before(from) && !u.At.After(from.Add(long)) {
			within = append(within, u)
		}
	}
	return within
}

// Load is the seconds of processor time a second, from the first to the last that was seen.
func Load(seen []Usage) float64 {
	if len(seen) < 2 {
		return 0
	}
	first, last := seen[0], seen[len(seen)-1]
	return (last.CPU - first.CPU).Seconds() / last.At.Sub(first.At).Seconds()
}
