package main

import (
	"context"
	"fmt"
	"slices"
	"syscall"
	"time"

	"mindflow/pipeline"
)

// seen is what was said of a frame.
type seen struct {
	told     bool // anything
	boxes    []pipeline.Box
	labels   []string
	shown    []string // the same, but "uncertain" where that is shown
	followed bool     // and not detected
}

type result struct {
	frames []seen
	counts pipeline.Counts
	took   time.Duration // of the processor
}

// analyse looks at frames. With a turn from time to time the machine is full: frames in between are only followed, and those in which
// that is not sure are not told.
func analyse(ctx context.Context, how pipeline.Analysis, turn time.Duration, frames []*pipeline.Frame) (r result, err error) {
	a := pipeline.NewAnalyzer(how)
	a.Overloaded = turn > 0
	var next time.Time // turn
	began := processor()
	for _, f := range frames {
		var m pipeline.Message
		detected, waits := a.Counts().Detected, f.Arrived.Before(next)
		if waits && !a.Track(&m, f) {
			r.frames = append(r.frames, seen{})
			continue
		}
		if !waits {
			next = f.Arrived.Add(turn - time.Millisecond)
			if err := a.Analyze(ctx, &m, f); err != nil {
				return r, err
			}
		}
		r.frames = append(r.frames, said(&m, a.Counts().Detected == detected))
	}
	r.took, r.counts = processor()-began, a.Counts()
	return r, nil
}

func said(m *pipeline.Message, followed bool) seen {
	s := seen{told: true, followed: followed}
	for _, face := range m.Faces {
		s.boxes = append(s.boxes, pipeline.Box{X: face.Box[0], Y: face.Box[1], W: face.Box[2], H: face.Box[3]})
		s.labels = append(s.labels, face.Label)
		if face.Uncertain {
			face.Label = "uncertain"
		}
		s.shown = append(s.shown, face.Label)
	}
	return s
}

// processor is the time that this process has had of it.
func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0 // cannot be: both arguments are right
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func (r result) print(name string, truth []seen) {
	var told, same, shown, faces int
	var overlaps []float32
	for i, t := range truth {
		if !r.frames[i].told {
			continue
		}
		told++
		for k, box := range t.boxes {
			faces++
			best, at := float32(0), -1
			for n, own := range r.frames[i].boxes {
				if o := box.IoU(own); o > best {
					best, at = o, n
				}
			}
			if r.frames[i].followed { // a detected box lies on itself
				overlaps = append(overlaps, best)
			}
			if at >= 0 && r.frames[i].labels[at] == t.labels[k] {
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
	fmt.Printf("| %s | %.2f | %.2f | %.2f | %.1f %% | %.1f %% | %.1f %% | %s | %s |\n", name,
		float64(r.counts.Detected)/float64(r.counts.Frames), float64(r.counts.Classified)/float64(max(1, r.counts.Faces)),
		float64(r.took.Microseconds())/1000/float64(len(r.frames)), 100*float64(told)/float64(len(truth)), 100*float64(shown)/float64(max(1, faces)), 100*float64(same)/float64(max(1, faces)), mean, worst)
}
