// Economy measures what each rule of pipeline.Economy saves and what it costs: it analyses clips in every frame, and
// again with each rule, and says how often the labels agree and how well the boxes lie on one another.
//
//	go run ./bench/economy -models bin/models -ort-lib bin/lib/libonnxruntime.so.1 CLIP.mp4 …
//
// Each clip is looked at as it is, and as a copy that sways by an eighth of its width at 0.7 Hz, with bars beside it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"syscall"
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
	step int  // from frame to frame that is analysed
}

func rules(now pipeline.Economy) []rule {
	const ms = time.Millisecond
	list := []rule{{name: "every frame"}}
	for _, n := range []time.Duration{100, 200, 300} {
		list = append(list, rule{name: fmt.Sprintf("detect every %d ms", n), how: pipeline.Economy{Detect: n * ms}})
	}
	for _, n := range []time.Duration{67, 100, 133, 200} {
		list = append(list, rule{name: fmt.Sprintf("classify every %d ms", n), how: pipeline.Economy{Classify: n * ms}})
	}
	but := func(name string, change func(*pipeline.Economy)) {
		how := now
		change(&how)
		list = append(list, rule{name: "as shipped, but " + name, how: how})
	}
	for _, c := range []float64{1, 2, 4} {
		but(fmt.Sprintf("change from %g levels", c), func(e *pipeline.Economy) { e.Change = c })
	}
	but("no rest", func(e *pipeline.Economy) { e.Rest = 0 })
	for _, d := range []float64{0, 0.05, 0.15} {
		but(fmt.Sprintf("doubt under %g", d), func(e *pipeline.Economy) { e.Doubt = d })
	}
	return append(list, rule{name: "as shipped", how: now},
		rule{name: "every third frame", step: 3}, rule{name: "as shipped, of every third frame, on a machine that is full", how: now, full: true, step: 3},
		rule{name: "every sixth frame", step: 6}, rule{name: "as shipped, of every sixth frame, on a machine that is full", how: now, full: true, step: 6})
}

func run(ctx context.Context) error {
	settings := engine.Flags(flag.CommandLine)
	flag.Parse()
	if flag.NArg() == 0 {
		return errors.New("name at least one clip")
	}
	settings.Many = true
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
		if err := measure(ctx, e.Analysis, filepath.Base(name), frames); err != nil {
			return err
		}
		sway(frames)
		if err := measure(ctx, e.Analysis, filepath.Base(name)+", swaying", frames); err != nil {
			return err
		}
	}
	return nil
}

// measure prints a table. Each rule is compared with the latest one before it that leaves nothing out.
func measure(ctx context.Context, how pipeline.Analysis, name string, frames []*pipeline.Frame) error {
	fmt.Printf("\n%s, %d frames\n\n", name, len(frames))
	fmt.Println("| rule | detections a frame | classifications a face | CPU ms a frame | same shown | same label | IoU of followed boxes, mean | 5th percentile |")
	fmt.Println("|---|---|---|---|---|---|---|---|")
	var truth []seen
	for _, r := range rules(how.Economy) {
		how.Economy = r.how
		got, err := analyse(ctx, how, r.full, every(frames, r.step))
		if err != nil {
			return err
		}
		if r.how == (pipeline.Economy{}) {
			truth = got.frames
		}
		got.print(r.name, truth)
	}
	return nil
}

// every leaves out frames.
func every(frames []*pipeline.Frame, step int) (some []*pipeline.Frame) {
	for i := 0; i < len(frames); i += max(1, step) {
		some = append(some, frames[i])
	}
	return some
}

// sway moves what frames show from side to side. What is beyond their edges is black.
func sway(frames []*pipeline.Frame) {
	for _, f := range frames {
		at := f.Arrived.Sub(frames[0].Arrived).Seconds()
		by := 2 * int(math.Round(float64(f.Width)/16*math.Sin(2*math.Pi*0.7*at))) // even: colours have half the pixels
		shift(f.Y, f.YStride, f.Width, f.Height, by, 16)
		shift(f.U, f.CStride, f.Width/2, f.Height/2, by/2, 128)
		shift(f.V, f.CStride, f.Width/2, f.Height/2, by/2, 128)
	}
}

func shift(plane []byte, stride, width, height, by int, black byte) {
	for j := range height {
		row := plane[j*stride:][:width]
		if by >= 0 {
			copy(row[by:], row)
			row = row[:by]
		} else {
			copy(row, row[-by:])
			row = row[width+by:]
		}
		for i := range row {
			row[i] = black
		}
	}
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
	shown    []string // the same, but "uncertain" where that is shown
	followed bool     // and not detected
}

type result struct {
	frames []seen
	tally  pipeline.Tally
	took   time.Duration // of the processor
}

func analyse(ctx context.Context, how pipeline.Analysis, full bool, frames []*pipeline.Frame) (r result, err error) {
	a := pipeline.NewAnalyzer(how)
	a.Hurry, a.Crowded = full, full
	began := processor()
	for _, f := range frames {
		var m pipeline.Message
		detected := a.Tally().Detected
		if err := a.Analyze(ctx, &m, f); err != nil {
			return r, err
		}
		s := seen{followed: a.Tally().Detected == detected}
		for _, face := range m.Faces {
			s.boxes = append(s.boxes, pipeline.Box{X: face.Box[0], Y: face.Box[1], W: face.Box[2], H: face.Box[3]})
			s.labels = append(s.labels, face.Label)
			if face.Uncertain {
				face.Label = "uncertain"
			}
			s.shown = append(s.shown, face.Label)
		}
		r.frames = append(r.frames, s)
	}
	r.took, r.tally = processor()-began, a.Tally()
	return r, nil
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
	var same, shown, faces int
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
	fmt.Printf("| %s | %.2f | %.2f | %.2f | %.1f %% | %.1f %% | %s | %s |\n", name,
		float64(r.tally.Detected)/float64(r.tally.Frames), float64(r.tally.Classified)/float64(max(1, r.tally.Faces)),
		float64(r.took.Microseconds())/1000/float64(len(r.frames)), 100*float64(shown)/float64(max(1, faces)), 100*float64(same)/float64(max(1, faces)), mean, worst)
}
