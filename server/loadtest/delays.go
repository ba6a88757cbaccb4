package loadtest

import (
	"math"
	"math/bits"
	"time"
)

// delays is a histogram of times with buckets of increasing width, so that hours of measuring need no more memory than
// seconds: whole microseconds up to 256, then 128 buckets for each doubling. A percentile is exact to 0.4 %.
type delays struct {
	buckets [firstBuckets + (maxBits-firstBits)*perDoubling]uint32
	count   uint64
}

const (
	firstBits    = 8
	firstBuckets = 1 << firstBits
	perDoubling  = firstBuckets / 2
	maxBits      = 32 // of microseconds: 71 minutes, as which longer times count
)

func (d *delays) add(t time.Duration) {
	d.buckets[bucket(t)]++
	d.count++
}

// addMS adds a number of milliseconds, which a server sent and may be any number.
func (d *delays) addMS(ms float64) {
	const most = (1 << maxBits) / 1000 // the result of a conversion beyond it is not defined
	d.add(time.Duration(min(max(ms, 0), most) * float64(time.Millisecond)))
}

// bucket returns the bucket of a time.
func bucket(t time.Duration) int {
	us := uint64(min(max(t.Microseconds(), 0), 1<<maxBits-1))
	if us < firstBuckets {
		return int(us)
	}
	doublings := bits.Len64(us) - firstBits // 1 or more
	return firstBuckets + (doublings-1)*perDoubling + int(us>>doublings) - perDoubling
}

// middle returns the time in the middle of a bucket.
func middle(bucket int) time.Duration {
	if bucket < firstBuckets {
		return time.Duration(bucket) * time.Microsecond
	}
	doublings := (bucket-firstBuckets)/perDoubling + 1
	least := ((bucket-firstBuckets)%perDoubling + perDoubling) << doublings
	return time.Duration(least+1<<doublings/2) * time.Microsecond
}

// merge adds another histogram.
func (d *delays) merge(other *delays) {
	for i, n := range other.buckets {
		d.buckets[i] += n
	}
	d.count += other.count
}

// less returns what was counted since an earlier state of the same histogram.
func (d *delays) less(earlier *delays) *delays {
	since := &delays{count: d.count - earlier.count}
	for i, n := range d.buckets {
		since.buckets[i] = n - earlier.buckets[i]
	}
	return since
}

// percentile returns the least time that p percent of all do not exceed (nearest rank). p is over 0 and at most 100. It
// reports false when nothing was counted.
func (d *delays) percentile(p float64) (t time.Duration, ok bool) {
	rank := max(1, uint64(math.Ceil(p/100*float64(d.count))))
	seen := uint64(0)
	for i, n := range d.buckets {
		if seen += uint64(n); seen >= rank {
			return middle(i), true
		}
	}
	return 0, false
}
