package process

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Usage is what a process has used until a time.
type Usage struct {
	At  time.Time
	CPU time.Duration // of all its threads, in the kernel too
	RSS int64         // bytes of resident memory at that time
}

// usage reads the server's usage from proc(5).
func (s *Server) usage() (Usage, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return Usage{}, errors.Join(s.Alive(), err)
	}
	return parseStat(string(text), time.Now())
}

func parseStat(text string, at time.Time) (Usage, error) {
	const tick = time.Second / 100 // USER_HZ, which is 100 on all machines
	end := strings.LastIndexByte(text, ')')
	fields := strings.Fields(text[end+1:]) // fields from the third on, since the second may hold any character
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

// watch samples the server's usage five times a second until stop, which returns the samples.
func (s *Server) watch() (stop func() []Usage) {
	over, done := make(chan struct{}), make(chan []Usage)
	go func() {
		var samples []Usage
		ticker := time.NewTicker(200 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-over:
				done <- samples
				return
			case <-ticker.C:
				if u, err := s.usage(); err == nil { // Alive reports a server that has ended
					samples = append(samples, u)
				}
			}
		}
	}()
	return func() []Usage { close(over); return <-done }
}

// Within returns the samples of a duration that begins at from.
func Within(samples []Usage, from time.Time, duration time.Duration) (within []Usage) {
	for _, u := range samples {
		if !u.At.Before(from) && !u.At.After(from.Add(duration)) {
			within = append(within, u)
		}
	}
	return within
}

// Load returns the seconds of processor time a second, from the first sample to the last.
func Load(samples []Usage) float64 {
	if len(samples) < 2 {
		return 0
	}
	first, last := samples[0], samples[len(samples)-1]
	return (last.CPU - first.CPU).Seconds() / last.At.Sub(first.At).Seconds()
}
