package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"mindflow/bench/doctable"
	"mindflow/bench/process"
	"mindflow/pipeline/testkit"
)

// way is one way to label a clip.
type way struct {
	name string
	goal float64 // times the first way's speed, at least; 0 is none
	run  func(context.Context) (speed, error)
	runs []speed
}

// speed is how one run did.
type speed struct {
	frames int
	speed  float64 // frames a second
	cpu    float64 // milliseconds of processor time a frame
}

// ways are the notebook's, then ours with the shipped defaults, then ours doing the same work as the notebook: finding the
// face and running the same network at the same size on every frame, in float32.
func (p *plan) ways(models string) []*way {
	same := append([]string{"--model", "dan-224", "--threads", "2"}, everyFrame...)
	name := "`mindflow video " + filepath.Base(p.clip)
	return []*way{
		{name: "the notebook's loop in Python, from the first frame on", run: p.loop},
		{name: name + "`", goal: 15, run: func(ctx context.Context) (speed, error) { return p.ours(ctx) }},
		{name: name + " " + strings.Join(same, " ") + "`", goal: 4.5, run: func(ctx context.Context) (speed, error) {
			return p.ours(ctx, append([]string{"--models", models}, same...)...)
		}},
	}
}

// everyFrame are the flags by which each frame is looked at whole.
var everyFrame = []string{"--detect-every", "0s", "--classify-every", "0s", "--rest-every", "0s"}

// loop runs the notebook's, which measures itself.
func (p *plan) loop(ctx context.Context) (s speed, err error) {
	args := []string{"-B", filepath.Join(testkit.Root(), "bench", "notebook_loop.py"), p.clip, "--reference", p.reference, "--weights", p.weights}
	if p.frames > 0 {
		args = append(args, "--frames", strconv.Itoa(p.frames))
	}
	run, err := process.Run(ctx, p.python, args...)
	if err != nil {
		return s, err
	}
	if _, err := fmt.Sscanf(run.Out, "%d frames, %f frames a second, %f ms of processor time each", &s.frames, &s.speed, &s.cpu); err != nil {
		return s, fmt.Errorf("notebook_loop.py printed %q: %w", run.Out, err)
	}
	return s, nil
}

// ours is timed from the start of the process to its end.
func (p *plan) ours(ctx context.Context, flags ...string) (s speed, err error) {
	run, err := process.Run(ctx, p.binary, append([]string{"video", p.clip}, flags...)...)
	if err != nil {
		return s, err
	}
	n, ok := process.Frames(run.Out)
	if !ok {
		return s, fmt.Errorf("mindflow video says no number of frames: %q", run.Out)
	}
	return speed{n, float64(n) / run.Wall.Seconds(), run.CPU.Seconds() * 1000 / float64(n)}, nil
}

// of is a median over a way's runs.
func (w *way) of(value func(speed) float64) float64 {
	var values []float64
	for _, r := range w.runs {
		values = append(values, value(r))
	}
	return doctable.Median(values)
}

func (w *way) speed() float64 { return w.of(func(s speed) float64 { return s.speed }) }

func (w *way) cpu() float64 { return w.of(func(s speed) float64 { return s.cpu }) }

func table(ways []*way) string {
	text := "| way | frames | frames a second | slowest to fastest run | times the notebook's | goal | CPU ms a frame |\n|---|---|---|---|---|---|---|\n"
	for _, w := range ways {
		slowest, fastest := w.runs[0].speed, w.runs[0].speed
		for _, r := range w.runs {
			slowest, fastest = min(slowest, r.speed), max(fastest, r.speed)
		}
		goal := "–"
		if w.goal > 0 {
			goal = fmt.Sprintf("%.1f", w.goal)
		}
		text += fmt.Sprintf("| %s | %d | %.1f | %.1f – %.1f | %.1f | %s | %.1f |\n",
			w.name, w.runs[0].frames, w.speed(), slowest, fastest, w.speed()/ways[0].speed(), goal, w.cpu())
	}
	return text + "\nOurs are timed from the start of the process to its end, loading of the models included; the notebook's loop without.\n"
}

// missed says which goals were.
func missed(ways []*way) error {
	var err error
	for _, w := range ways {
		if times := w.speed() / ways[0].speed(); times < w.goal {
			err = errors.Join(err, fmt.Errorf("%s is %.1f times as fast as the notebook, the goal is %.1f", w.name, times, w.goal))
		}
	}
	return err
}
