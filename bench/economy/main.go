// Economy measures what each rule of pipeline.AnalysisPolicy saves and what it costs: it analyses clips in every frame, and
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
	"time"

	"mindflow/models/engine"
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
	how  pipeline.AnalysisPolicy
	turn time.Duration // from one to the next on a machine that is full, with frames that are only followed in between; 0 is a turn for each
}

func rules(now pipeline.AnalysisPolicy) []rule {
	const ms = time.Millisecond
	list := []rule{{name: "every frame"}}
	for _, n := range []time.Duration{100, 200, 300} {
		list = append(list, rule{name: fmt.Sprintf("detect every %d ms", n), how: pipeline.AnalysisPolicy{DetectEvery: n * ms}})
	}
	for _, n := range []time.Duration{67, 100, 133, 200} {
		list = append(list, rule{name: fmt.Sprintf("classify every %d ms", n), how: pipeline.AnalysisPolicy{ClassifyEvery: n * ms}})
	}
	but := func(name string, change func(*pipeline.AnalysisPolicy)) {
		how := now
		change(&how)
		list = append(list, rule{name: "as shipped, but " + name, how: how})
	}
	for _, c := range []float64{1, 2, 4} {
		but(fmt.Sprintf("change from %g levels", c), func(e *pipeline.AnalysisPolicy) { e.MinChange = c })
	}
	but("no rest", func(e *pipeline.AnalysisPolicy) { e.RestEvery = 0 })
	for _, d := range []float64{0, 0.05, 0.15} {
		but(fmt.Sprintf("doubt under %g", d), func(e *pipeline.AnalysisPolicy) { e.MinMargin = d })
	}
	return append(list, rule{name: "as shipped", how: now},
		full(now, 125*ms), full(now, 167*ms), full(now, 250*ms), full(now, 333*ms), full(now, 500*ms))
}

func full(now pipeline.AnalysisPolicy, turn time.Duration) rule {
	return rule{fmt.Sprintf("as shipped, on a machine that is full: a turn every %d ms", turn.Milliseconds()), now, turn}
}

func run(ctx context.Context) error {
	settings := engine.Default()
	flag.StringVar(&settings.Models, "models", settings.Models, "`folder` of the models")
	flag.StringVar(&settings.Library, "ort-lib", settings.Library, "ONNX Runtime's shared library, a `file`")
	flag.StringVar(&settings.Detector, "detector", settings.Detector, "face detector, a `name` in the manifest")
	flag.Parse()
	if flag.NArg() == 0 {
		return errors.New("name at least one clip")
	}
	settings.Many = true
	e, err := engine.Open(settings)
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

// measure prints a table. Each rule is compared with the first, which leaves nothing out.
func measure(ctx context.Context, how pipeline.Analysis, name string, frames []*pipeline.Frame) error {
	fmt.Printf("\n%s, %d frames\n\n", name, len(frames))
	fmt.Println("| rule | detections a turn | classifications a face | CPU ms a frame | told | same shown | same label | IoU of followed boxes, mean | 5th percentile |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|")
	var truth []seen
	for _, r := range rules(how.Policy) {
		how.Policy = r.how
		got, err := analyse(ctx, how, r.turn, frames)
		if err != nil {
			return err
		}
		if truth == nil {
			truth = got.frames
		}
		got.print(r.name, truth)
	}
	return nil
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
