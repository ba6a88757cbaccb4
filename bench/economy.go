package main

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

// policyRule is a policy that is measured.
type policyRule struct {
	name     string
	policy   pipeline.AnalysisPolicy
	interval time.Duration // between two slots on a full machine; zero means a slot for each frame
}

// policyRules returns the analysis of every frame, each rule alone, and variations of the shipped policy.
func policyRules(shipped pipeline.AnalysisPolicy) []policyRule {
	const ms = time.Millisecond
	list := []policyRule{{name: "every frame"}}
	for _, n := range []time.Duration{100, 200, 300} {
		policy := pipeline.AnalysisPolicy{DetectEvery: n * ms}
		list = append(list, policyRule{name: fmt.Sprintf("detect every %d ms", n), policy: policy})
	}
	for _, n := range []time.Duration{67, 100, 133, 200} {
		policy := pipeline.AnalysisPolicy{ClassifyEvery: n * ms}
		list = append(list, policyRule{name: fmt.Sprintf("classify every %d ms", n), policy: policy})
	}
	but := func(name string, change func(*pipeline.AnalysisPolicy)) {
		policy := shipped
		change(&policy)
		list = append(list, policyRule{name: "as shipped, but " + name, policy: policy})
	}
	for _, c := range []float64{1, 2, 4} {
		but(fmt.Sprintf("change from %g levels", c), func(p *pipeline.AnalysisPolicy) { p.MinChange = c })
	}
	but("no rest", func(p *pipeline.AnalysisPolicy) { p.RestEvery = 0 })
	for _, d := range []float64{0, 0.05, 0.15} {
		but(fmt.Sprintf("doubt under %g", d), func(p *pipeline.AnalysisPolicy) { p.MinMargin = d })
	}
	list = append(list, policyRule{name: "as shipped", policy: shipped})
	for _, n := range []time.Duration{125, 167, 250, 333, 500} {
		name := fmt.Sprintf("as shipped, on a full machine: a slot every %d ms", n)
		list = append(list, policyRule{name, shipped, n * ms})
	}
	return list
}

// runEconomy measures what each rule of the analysis policy saves and costs, and prints a table for each clip that the
// arguments name. It analyses every frame of the clip, and then the clip with each rule, and compares labels and boxes.
// Each clip is analysed as it is, and as a copy that sways by an eighth of its width at 0.7 Hz, with bars beside it.
func runEconomy(ctx context.Context, flags *flag.FlagSet, args []string) error {
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
		frames, err := readClip(name, *length)
		if err != nil {
			return err
		}
		if err := measureRules(ctx, e.Analysis, filepath.Base(name), frames); err != nil {
			return err
		}
		sway(frames)
		if err := measureRules(ctx, e.Analysis, filepath.Base(name)+", swaying", frames); err != nil {
			return err
		}
	}
	return nil
}

// measureRules prints a table. Each rule is compared with the first, which analyses every frame.
func measureRules(ctx context.Context, analysis pipeline.Analysis, name string, frames []*pipeline.Frame) error {
	fmt.Printf("\n%s, %d frames\n\n%s", name, len(frames), ruleHeader)
	var truth []frameLabels
	for _, r := range policyRules(analysis.Policy) {
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
		shiftPlane(f.Y, f.YStride, f.Width, f.Height, by, 16)
		shiftPlane(f.U, f.CStride, f.Width/2, f.Height/2, by/2, 128)
		shiftPlane(f.V, f.CStride, f.Width/2, f.Height/2, by/2, 128)
	}
}

func shiftPlane(plane []byte, stride, width, height, by int, black byte) {
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

// readClip decodes a clip, or its beginning of a length that is not 0.
func readClip(name string, length time.Duration) (frames []*pipeline.Frame, err error) {
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
