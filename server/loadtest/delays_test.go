package loadtest

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestPercentile(t *testing.T) {
	const us, ms = time.Microsecond, time.Millisecond
	for _, row := range []struct {
		name          string
		times         []time.Duration
		p50, p95, p99 time.Duration
	}{
		{"one", []time.Duration{7 * us}, 7 * us, 7 * us, 7 * us},
		{"two: the lower is the median", []time.Duration{200 * us, 100 * us}, 100 * us, 200 * us, 200 * us},
		{"twenty: the nineteenth is the 95th percentile", steps(20, us), 10 * us, 19 * us, 20 * us},
		{"a hundred", steps(100, us), 50 * us, 95 * us, 99 * us},
		{"before they were sent", []time.Duration{-ms}, 0, 0, 0},
	} {
		var d delays
		for _, v := range row.times {
			d.add(v)
		}
		for p, want := range map[float64]time.Duration{50: row.p50, 95: row.p95, 99: row.p99} {
			if got, ok := d.percentile(p); !ok || got != want {
				t.Errorf("%s: percentile %v is %v, want %v", row.name, p, got, want)
			}
		}
	}
	var none delays
	if got, ok := none.percentile(50); ok {
		t.Errorf("of nothing: %v", got)
	}
}

// steps are the times 1, 2 … n units.
func steps(n int, unit time.Duration) (times []time.Duration) {
	for i := range n {
		times = append(times, time.Duration(i+1)*unit)
	}
	return times
}

// Percentiles of buckets equal those of the times within 0.4 %, also after counts of several meters are added.
func TestPercentileIsNear(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var halves [2]delays
	var times []time.Duration
	for i := range 10_000 {
		v := time.Duration(math.Exp(random.Float64()*20) * float64(time.Microsecond)) // 1 µs to 8 minutes
		times = append(times, v)
		halves[i%2].add(v)
	}
	slices.Sort(times)
	halves[0].merge(&halves[1])
	for _, p := range []float64{0.01, 1, 50, 95, 99, 99.9, 100} {
		want := times[int(math.Ceil(p*100))-1]
		if got, _ := halves[0].percentile(p); math.Abs(
			float64(got-want),
		) > 0.004*float64(
			want,
		)+float64(
			time.Microsecond,
		) {
			t.Errorf("percentile %v is %v, want %v", p, got, want)
		}
	}
}

// Every bucket holds its own middle, and buckets are in order up to the last.
func TestBuckets(t *testing.T) {
	var d delays
	for i := range d.buckets {
		if got := bucket(middle(i)); got != i {
			t.Fatalf("the middle of bucket %d, %v, is in bucket %d", i, middle(i), got)
		}
	}
	if got := bucket(math.MaxInt64); got != len(d.buckets)-1 {
		t.Errorf("the longest time is in bucket %d of %d", got, len(d.buckets))
	}
}
