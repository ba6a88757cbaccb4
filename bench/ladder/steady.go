package main

import (
	"errors"
	"fmt"
	"time"

	"mindflow/bench/doctable"
	"mindflow/bench/process"
	"mindflow/server/loadtest"
)

// What a soak may come to.
const (
	maxSlope  = 1.0             // megabytes a minute that the server's memory may grow by, after the warm-up
	maxGrowth = 0.1             // of the first half's latency, that the second half's may be more
	slack     = 2.0             // milliseconds that it may be more in any case: medians of minutes on a shared machine
	warmUp    = 5 * time.Minute // while memory is laid out; of a short soak a quarter
)

// verdict says whether a soak stayed as it was.
type verdict struct {
	slope         float64 // megabytes a minute
	first, second float64 // median of the minutes' medians, ms, of the first and the second half after the warm-up; 0 is unknown
	warm          time.Duration
}

// steady looks at what came after the warm-up of a soak of so long.
func (r *rung) steady(long time.Duration) verdict {
	v := verdict{warm: min(warmUp, long/4)}
	from := r.result.Began.Add(v.warm)
	v.slope = memorySlope(process.Within(r.usage, from, long))
	left := r.result.Minutes[min(len(r.result.Minutes), int((v.warm+time.Minute-1)/time.Minute)):]
	v.first, v.second = middle(left[:len(left)/2]), middle(left[len(left)/2:])
	return v
}

// middle is the median of the minutes' medians, 0 where one is missing or there is none.
func middle(minutes []loadtest.Minute) float64 {
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

// memorySlope is by how many megabytes a minute a server's memory grows, by least squares.
func memorySlope(seen []process.Usage) float64 {
	if len(seen) < 2 {
		return 0
	}
	var meanX, meanY, xy, xx float64
	n := float64(len(seen))
	for _, u := range seen {
		meanX += u.At.Sub(seen[0].At).Minutes() / n
		meanY += megabytes(u) / n
	}
	for _, u := range seen {
		x := u.At.Sub(seen[0].At).Minutes() - meanX
		xy += x * (megabytes(u) - meanY)
		xx += x * x
	}
	return xy / xx
}

func (v verdict) String() string {
	latency := "unknown, as a half has too few minutes"
	if v.first > 0 && v.second > 0 {
		latency = fmt.Sprintf("%.1f ms in the first half, %.1f ms in the second", v.first, v.second)
	}
	return fmt.Sprintf("After a warm-up of %v the server's memory grows by %+.2f MB a minute (least squares), and the median is %s.\n", v.warm, v.slope, latency)
}

// check says what a server has to keep to and did not.
func (v verdict) check() (err error) {
	if v.slope > maxSlope {
		err = fmt.Errorf("memory grows by %.2f MB a minute, more than %v", v.slope, maxSlope)
	}
	if v.first > 0 && v.second > v.first*(1+maxGrowth)+slack {
		err = errors.Join(err, fmt.Errorf("the median grew from %.1f ms to %.1f ms", v.first, v.second))
	}
	return err
}
