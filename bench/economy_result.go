package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"mindflow/bench/process"
	"mindflow/pipeline"
)

// frameLabels is what was reported of a frame.
type frameLabels struct {
	reported bool // false for a frame without a message
	followed bool // the boxes were followed and not detected
	boxes    []pipeline.Box
	likely   []string // likeliest labels
	shown    []string // labels with "uncertain" in the place of weak ones
}

// ruleResult holds what one rule gave.
type ruleResult struct {
	frames []frameLabels
	counts pipeline.Counts
	cpu    time.Duration
}

// analyse analyses frames. An interval between slots simulates a full machine: faces are only followed in the frames
// without a slot, which have no message when that is not certain.
func analyse(ctx context.Context, analysis pipeline.Analysis, interval time.Duration, frames []*pipeline.Frame) (
	r ruleResult, err error) {
	a := pipeline.NewAnalyzer(analysis)
	a.Overloaded = interval > 0
	var next time.Time // of the next slot
	began := process.OwnCPU()
	for _, f := range frames {
		var m pipeline.Message
		detected, waits := a.Counts().Detected, f.Arrived.Before(next)
		if waits && !a.Follow(&m, f) {
			r.frames = append(r.frames, frameLabels{})
			continue
		}
		if !waits {
			next = f.Arrived.Add(interval - time.Millisecond)
			if err := a.Analyze(ctx, &m, f); err != nil {
				return r, err
			}
		}
		r.frames = append(r.frames, labelsOf(&m, a.Counts().Detected == detected))
	}
	r.cpu, r.counts = process.OwnCPU()-began, a.Counts()
	return r, nil
}

func labelsOf(m *pipeline.Message, followed bool) frameLabels {
	l := frameLabels{reported: true, followed: followed}
	for _, face := range m.Faces {
		l.boxes = append(l.boxes, pipeline.Box{X: face.Box[0], Y: face.Box[1], W: face.Box[2], H: face.Box[3]})
		l.likely = append(l.likely, face.Label)
		if face.Uncertain {
			face.Label = "uncertain"
		}
		l.shown = append(l.shown, face.Label)
	}
	return l
}

const ruleHeader = "| rule | detections a slot | classifications a face | CPU ms a frame | with a message " +
	"| same shown | same label | IoU of followed boxes, mean | 5th percentile |\n" +
	"|---|---|---|---|---|---|---|---|---|\n"

// row returns a line of the table, which compares the result with the analysis of every frame.
func (r ruleResult) row(name string, truth []frameLabels) string {
	var reported, same, shown, faces int
	var overlaps []float32
	for i, t := range truth {
		if !r.frames[i].reported {
			continue
		}
		reported++
		for k, box := range t.boxes {
			faces++
			best, at := nearestBox(r.frames[i].boxes, box)
			if r.frames[i].followed { // a detected box overlaps itself
				overlaps = append(overlaps, best)
			}
			if at >= 0 && r.frames[i].likely[at] == t.likely[k] {
				same++
			}
			if at >= 0 && r.frames[i].shown[at] == t.shown[k] {
				shown++
			}
		}
	}
	mean, worst := "–", "–"
	if n := len(overlaps); n > 0 {
		slices.Sort(overlaps)
		var sum float32
		for _, o := range overlaps {
			sum += o
		}
		mean, worst = fmt.Sprintf("%.3f", sum/float32(n)), fmt.Sprintf("%.3f", overlaps[n/20])
	}
	share := func(n, of int) float64 { return float64(n) / float64(max(1, of)) }
	return fmt.Sprintf("| %s | %.2f | %.2f | %.2f | %.1f %% | %.1f %% | %.1f %% | %s | %s |\n", name,
		float64(r.counts.Detected)/float64(r.counts.Frames),
		float64(r.counts.Classified)/float64(max(1, r.counts.Faces)),
		float64(r.cpu.Microseconds())/1000/float64(len(r.frames)),
		100*share(reported, len(truth)), 100*share(shown, faces), 100*share(same, faces), mean, worst)
}

// nearestBox returns the largest IoU of a box with one of boxes, and that box's index, which is -1 where none overlaps.
func nearestBox(boxes []pipeline.Box, box pipeline.Box) (best float32, at int) {
	at = -1
	for n, b := range boxes {
		if o := box.IoU(b); o > best {
			best, at = o, n
		}
	}
	return best, at
}
