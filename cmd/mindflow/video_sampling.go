package main

import (
	"math"
	"time"
)

// sampling picks the first frame of each of the intervals that rate cuts the time into.
type sampling struct {
	rate float64 // a second; 0 picks all
	next float64 // interval
}

func (s *sampling) due(at time.Duration) bool {
	if s.rate == 0 {
		return true
	}
	interval := math.Floor(at.Seconds()*s.rate + 1e-4) // a hair early is in time: containers round
	if interval < s.next {
		return false
	}
	s.next = interval + 1
	return true
}
