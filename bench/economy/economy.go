// Package economy measures what each rule of the policy by which frames are analysed less saves, and what it costs. It
// analyses clips in every frame, and again with each rule, and compares the labels and the boxes.
//
// Each clip is analysed as it is, and as a copy that sways by an eighth of its width at 0.7 Hz, with bars beside it.
package economy

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"time"

	"mindflow/bench/process"
	"mindflow/models/engine"
	"mindflow/pipeline"
	"mindflow/pipeline/avdec/avfile"
)

// rule is a policy that is measured.
type rule struct {
	name     string
	policy   pipeline.AnalysisPolicy
	interval time.Duration // between two slots on a full machine; zero means a slot for each frame
}

// rules returns the analysis of every frame, each rule alone, and variations of the shipped policy.
func rules(shipped pipeline.AnalysisPolicy) []rule {
	const ms = time.Millisecond
	list := []rule{{name: "every frame"}}
	for _, n := range []time.Duration{100, 200, 300} {
		policy := pipeline.AnalysisPolicy{DetectEvery: n * ms}
		list = append(list, rule{name: fmt.Sprintf("detect every %d ms", n), policy: policy})
	}
	for _, n := range []time.Duration{67, 100, 133, 200} {
		policy := pipeline.AnalysisPolicy{ClassifyEvery: n * ms}
		list = append(list, rule{name: fmt.Sprintf("classify every %d ms", n), policy: policy})
	}
	but := func(name string, change func(*pipeline.AnalysisPolicy)) {
		policy := shipped
		change(&policy)
		list = append(list, rule{name: "as shipped, but " + name, policy: policy})
	}
	for _, c := range []float64{1, 2, 4} {
		but(fmt.Sprintf("change from %g levels", c), func(p *pipeline.AnalysisPolicy) { p.MinChange = c })
	}
	but("no rest", func(p *pipeline.AnalysisPolicy) { p.RestEvery = 0 })
	for _, d := range []float64{0, 0.05, 0.15} {
		but(fmt.Sprintf("doubt under %g", d), func(p *pipeline.AnalysisPolicy) { p.MinMargin = d })
	}
	list = append(list, rule{name: "as shipped", policy: shipped})
	for _, n := range []time.Duration{125, 167, 250, 333, 500} {
		list = append(list, rule{fmt.Sprintf("as shipped, on a full machine: a slot every %d ms", n), shipped, n * ms})
	}
	return list
}

// Run measures the rules on the clips that the arguments name, and prints a table for each.
func Run(ctx context.Context, flags *flag.FlagSet, args []string) error {
	settings := process.AddEngineFlags(flags)
	flags.StringVar(&settings.Detector, "detector", settings.Detector, "face detector, a `name` in the manifest")
	length := flags.Duration("length", 0, "length of each clip that is analysed; 0 means the whole clip")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() == 0 {
		return errors.New("name at least one clip")
	}
	settings.LoadFast = true
	e, err := engine.Open(*settings)
	if err != nil {
		return err
	}
	defer e.Close()
	for _, name := range flags.Args() {
		frames, err := read(name, *length)
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

// measure prints a table. Each rule is compared with the first, which analyses every frame.
func measure(ctx context.Context, analysis pipeline.Analysis, name string, frames []*pipeline.Frame) error {
	fmt.Printf("\n%s, %d frames\n\n%s", name, len(frames), header)
	var truth []labels
	for _, r := range rules(analysis.Policy) {
		analysis.Policy = r.policy
		got, err := analyse(ctx, analysis, r.interval, frames)
		if err != nil {
			return err
		}
		if truth == nil {
			truth = got.frames
		}
		fmt.Print(got.row(r.name, truth))
	}
	return nil
}

// sway moves the pictures of frames from side to side. Black fills the rest.
func sway(frames []*pipeline.Frame) {
	for _, f := range frames {
		at := f.Arrived.Sub(frames[0].Arrived).Seconds()
		by := 2 * int(math.Round(float64(f.Width)/16*math.Sin(2*math.Pi*0.7*at))) // even, as chroma has half the pixels
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

// read decodes a clip, or its beginning of a length that is not 0.
func read(name string, length time.Duration) (frames []*pipeline.Frame, err error) {
	v, err := avfile.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	start := time.Now()
	for {
		shown, at, err := v.Next()
		if errors.Is(err, io.EOF) || err == nil && length > 0 && at >= length {
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
