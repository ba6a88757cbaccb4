package main

import (
	"errors"
	"fmt"
	"time"

	"mindflow/bench/doctable"
	"mindflow/bench/process"
	"mindflow/server/loadtest"
)

// Limits of a soak.
const (
	maxSlope     = 1.0             // megabytes a minute by which the server's memory may grow after the warm-up
	maxGrowth    = 0.1             // share of the first half's latency by which the second half's may be larger
	latencySlack = 2.0             // milliseconds by which it may be larger in any case, on a shared machine
	warmUp       = 5 * time.Minute // while memory is laid out; a quarter of a short soak
)

// steadiness holds how memory and latency changed during a soak.
type steadiness struct {
	slope         float64 // of memory, megabytes a minute
	first, second float64 // median of the minutes' medians in each half after the warm-up, ms; zero means unknown
	warm          time.Duration
}

// steadiness compares what came after the warm-up of a soak.
func (r *rung) steadiness(duration time.Duration) steadiness {
	v := steadiness{warm: min(warmUp, duration/4)}
	from := r.result.Began.Add(v.warm)
	v.slope = memorySlope(process.Within(r.usage, from, duration))
	left := r.result.Minutes[min(len(r.result.Minutes), int((v.warm+time.Minute-1)/time.Minute)):]
	v.first, v.second = medianOfMinutes(left[:len(left)/2]), medianOfMinutes(left[len(left)/2:])
	return v
}

// medianOfMinutes returns the median of the minutes' medians. It returns 0 when one is missing or there are no minutes.
func medianOfMinutes(minutes []loadtest.Minute) float64 {
	var values []float64
	for _, m := range minutes {
		if m.P50 == nil {
			return 0
		}
		values = append(values, *m.P50)
	}
	if len(values) == 0 {
		return 0
	}
	return doctable.Median(values)
}

// memorySlope returns by how many megabytes a minute a server's memory grows, by least squares.
func memorySlope(usage []process.Usage) float64 {
	if len(usage) < 2 {
		return 0
	}
	var minutes, size []float64
	for _, u := range usage {
		minutes, size = append(minutes, u.At.Sub(usage[0].At).Minutes()), append(size, megabytes(u))
	}
	return leastSquares(minutes, size)
}

func (v steadiness) String() string {
	latency := "unknown, as a half has too few minutes"
	if v.first > 0 && v.second > 0 {
		latency = fmt.Sprintf("%.1f ms in the first half, %.1f ms in the second", v.first, v.second)
	}
	return fmt.Sprintf("After a warm-up of %v the server's memory grows by %+.2f MB a minute (least squares), "+
		"and the median is %s.\n", v.warm, v.slope, latency)
}

// check returns an error for each limit that was passed.
func (v steadiness) check() (err error) {
	if v.slope > maxSlope {
		err = fmt.Errorf("memory grows by %.2f MB a minute, more than %v", v.slope, maxSlope)
	}
	if v.first > 0 && v.second > v.first*(1+maxGrowth)+latencySlack {
		err = errors.Join(err, fmt.Errorf("the median grew from %.1f ms to %.1f ms", v.first, v.second))
	}
	return err
}
