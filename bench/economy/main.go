// Economy measures what each rule of pipeline.Economy saves and what it costs: it analyses clips in every frame, and
// again with each rule, and says how often the labels agree and how well the boxes lie on one another.
//
//	go run ./bench/economy -models bin/models -ort-lib bin/lib/libonnxruntime.so.1 CLIP.mp4 …
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"mindflow/cmd/engine"
	"mindflow/pipeline"
	"mindflow/pipeline/avdec/avfile"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "economy:", err)
		os.Exit(1)
	}
}

// rule is a setting that is measured.
type rule struct {
	name string
	how  pipeline.Economy
	full bool // the machine is
}

func rules(now pipeline.Economy) []rule {
	const ms = time.Millisecond
	list := []rule{{name: "every frame"}}
	for _, n := range []time.Duration{100, 200, 300} {
		list = append(list, rule{fmt.Sprintf("detect every %d ms", n), pipeline.Economy{Detect: n * ms}, false})
	}
	for _, n := range []time.Duration{67, 100, 133, 200} {
		list = append(list, rule{fmt.Sprintf("classify every %d ms", n), pipeline.Economy{Classify: n * ms}, false})
	}
	for _, c := range []float64{1, 2, 3, 4} {
		how := now
		how.Change = c
		list = append(list, rule{fmt.Sprintf("as shipped, but change from %g levels", c), how, false})
	}
	how := now
	how.Rest = 0
	return append(list, rule{"as shipped, but no rest", how, false}, rule{"as shipped", now, false}, rule{"as shipped, on a machine that is full", now, true})
}

func run(ctx context.Context) error {
	settings := engine.Flags(flag.CommandLine)
	flag.Parse()
	if flag.NArg() == 0 {
		return errors.New("name at least one clip")
	}
	e, err := engine.Open(*settings)
	if err != nil {
		return err
	}
	defer e.Close()
	for _, name := range flag.Args() {
		frames, err := read(name)
		if err != nil {
			return err
		}
		fmt.Printf("\n%s, %d frames\n\n", filepath.Base(name), len(frames))
		fmt.Println("| rule | detections a frame | classifications a face | ms a frame | same label | IoU of followed boxes, mean | 5th percentile |")
		fmt.Println("|---|---|---|---|---|---|---|")
		var truth []seen
		for _, r := range rules(settings.Economy) {
			how := e.Analysis
			how.Economy = r.how
			got, err := analyse(ctx, how, r.full, frames)
			if err != nil {
				return err
			}
			if truth == nil {
				truth = got.frames
			}
			got.print(r.name, truth)
		}
	}
	return nil
}

// read decodes a clip.
func read(name string) (frames []*pipeline.Frame, err error) {
	v, err := avfile.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	start := time.Now()
	for {
		shown, at, err := v.Next()
		if errors.Is(err, io.EOF) {
			return frames, nil
		}
		if err != nil {
			return nil, err
		}
		f := &pipeline.Frame{}
		f.CopyFrom(shown)
		f.Arrived = start.Add(at)
		frames = append(frames, f)
	}
}

// seen is what was said of a frame.
type seen struct {
	boxes    []pipeline.Box
	labels   []string
	followed bool // and not detected
}

type result struct {
	frames []seen
	tally  pipeline.Tally
	took   time.Duration // the fastest pass
}

func analyse(ctx context.Context, how pipeline.Analysis, full bool, frames []*pipeline.Frame) (r result, err error) {
	for pass := range 2 {
		a := pipeline.NewAnalyzer(how)
		a.Hurry = full
		r.frames = r.frames[:0]
		began := time.Now()
		for _, f := range frames {
			var m pipeline.Message
			detected := a.Tally().Detected
			if err := a.Analyze(ctx, &m, f); err != nil {
				return r, err
			}
			s := seen{followed: a.Tally().Detected == detected}
			for _, face := range m.Faces {
				s.boxes = append(s.boxes, pipeline.Box{X: face.Box[0], Y: face.Box[1], W: face.Box[2], H: face.Box[3]})
				label := face.Label
				if face.Uncertain {
					label = "uncertain"
				}
				s.labels = append(s.labels, label)
			}
			r.frames = append(r.frames, s)
		}
		if took := time.Since(began); pass == 0 || took < r.took {
			r.took = took
		}
		r.tally = a.Tally()
	}
	return r, nil
}

func (r result) print(name string, truth []seen) {
	var same, faces int
	var overlaps []float32
	for i, t := range truth {
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
	fmt.Printf("| %s | %.2f | %.2f | %.2f | %.1f %% | %s | %s |\n", name,
		float64(r.tally.Detected)/float64(r.tally.Frames), float64(r.tally.Classified)/float64(max(1, r.tally.Faces)),
		float64(r.took.Microseconds())/1000/float64(len(r.frames)), 100*float64(same)/float64(max(1, faces)), mean, worst)
}
