package loadtest

import (
	"testing"
	"time"
)

func TestSequence(t *testing.T) {
	for _, row := range []struct {
		name string
		seqs []uint64
		lost uint64
	}{
		{"none", nil, 0},
		{"one", []uint64{41}, 0},
		{"all", []uint64{41, 42, 43}, 0},
		{"from the beginning", []uint64{0, 1, 2}, 0},
		{"a gap", []uint64{41, 44, 45}, 2},
		{"two gaps", []uint64{1, 3, 6}, 3},
		{"out of order", []uint64{41, 43, 42, 44}, 0},
		{"late from before counting", []uint64{41, 40, 42}, 0},
		{"the largest of the protocol", []uint64{1<<53 - 3, 1<<53 - 1}, 1},
		{"one twice, which no server sends", []uint64{1, 1, 2}, 0},
	} {
		var s sequence
		for _, seq := range row.seqs {
			s.add(seq)
		}
		if got := s.lost(); got != row.lost {
			t.Errorf("%s: %d lost, want %d", row.name, got, row.lost)
		}
	}
}

// A label finds its own frame, also where timestamps begin anew, and none where its frame is forgotten.
func TestSentFrames(t *testing.T) {
	const step, first = 3000, 1<<32 - 10*3000 // the tenth is 0
	var s sentFrames
	if _, ok := s.find(0); ok {
		t.Error("found a frame where none was sent")
	}
	at := func(i int) time.Duration { return time.Duration(i) * time.Second / 30 }
	n := len(s.frames) + 5
	for i := range n {
		s.add(uint32(first+i*step), at(i))
	}
	for _, i := range []int{5, 9, 10, 11, n - 1} {
		if got, ok := s.find(uint32(first + i*step)); !ok || got != at(i) {
			t.Errorf("frame %d was sent at %v (%v), want %v", i, got, ok, at(i))
		}
	}
	for _, rtp := range []uint32{first + 4*step, 1} {
		if got, ok := s.find(rtp); ok {
			t.Errorf("frame with timestamp %d: found one of %v", rtp, got)
		}
	}
}

func TestSchedule(t *testing.T) {
	const ms, first = time.Millisecond, 1<<32 - 3000
	var s schedule
	for i, row := range []struct {
		ticks    uint32 // since the first
		at, want time.Duration
	}{
		{0, 100 * ms, 0},
		{3000, 100*ms + time.Second/30, 0}, // the timestamp is 0
		{9000, 225 * ms, 25 * ms},
		{18000, 300 * ms, 0},
	} {
		if got := s.late(first+row.ticks, row.at); (got - row.want).Abs() > time.Microsecond {
			t.Errorf("frame %d is %v late, want %v", i, got, row.want)
		}
	}
}
