package server

import (
	"testing"
	"time"

	"mindflow/pipeline"
)

// A machine that was full counts as crowded for a while, so that the faster classifier does not go and come with every frame.
func TestCrowdedOutlastsFull(t *testing.T) {
	w := &worker{analyzer: pipeline.NewAnalyzer(pipeline.Analysis{})}
	start := time.Now()
	for _, step := range []struct {
		at, waited     time.Duration
		hurry, crowded bool
	}{
		{0, 0, false, false},
		{time.Second, hurryWait, false, false},
		{2 * time.Second, 2 * hurryWait, true, true},
		{2*time.Second + crowdedTime - 1, 0, false, true},
		{2*time.Second + crowdedTime, 0, false, false},
		{10 * time.Second, time.Second, true, true},
		{11 * time.Second, 0, false, true},
	} {
		w.hurry(step.waited, start.Add(step.at))
		if w.analyzer.Hurry != step.hurry || w.analyzer.Crowded != step.crowded {
			t.Errorf("after %s, waited %s: hurry %t, crowded %t; want %t, %t", step.at, step.waited, w.analyzer.Hurry, w.analyzer.Crowded, step.hurry, step.crowded)
		}
	}
}
