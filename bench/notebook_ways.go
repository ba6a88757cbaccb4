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

// notebookWay is one way to label a clip.
type notebookWay struct {
	name string
	goal float64 // least speed as a multiple of the first way's; zero means no goal
	run  func(context.Context) (waySpeed, error)
	runs []waySpeed
}

// waySpeed is the result of one run.
type waySpeed struct {
	frames int
	speed  float64 // frames a second
	cpu    float64 // milliseconds of processor time a frame
}

// ways returns the notebook's loop, `mindflow video` with the shipped defaults, and `mindflow video` with the
// notebook's work: it finds the face and runs the same network at the same size on every frame, in float32.
func (p *notebookPlan) ways(models string) []*notebookWay {
	same := []string{"--model", "dan-224", "--threads", "2",
		"--detect-every", "0s", "--classify-every", "0s", "--rest-every", "0s"}
	name := "`mindflow video " + filepath.Base(p.Clip)
	return []*notebookWay{
		{name: "the notebook's loop in Python, from the first frame on", run: p.loop},
		{name: name + "`", goal: 15, run: func(ctx context.Context) (waySpeed, error) { return p.video(ctx) }},
		{name: name + " " + strings.Join(same, " ") + "`", goal: 4.5, run: func(ctx context.Context) (waySpeed, error) {
			return p.video(ctx, append([]string{"--models", models}, same...)...)
		}},
	}
}

// loop runs the notebook's loop, which measures itself.
func (p *notebookPlan) loop(ctx context.Context) (s waySpeed, err error) {
	script := filepath.Join(testkit.Root(), "bench", "notebook_loop.py")
	args := []string{"-B", script, p.Clip, "--reference", p.reference, "--weights", p.weights}
	if p.frames > 0 {
		args = append(args, "--frames", strconv.Itoa(p.frames))
	}
	run, err := process.Run(ctx, p.python, args...)
	if err != nil {
		return s, err
	}
	const format = "%d frames, %f frames a second, %f ms of processor time each"
	if _, err := fmt.Sscanf(run.Out, format, &s.frames, &s.speed, &s.cpu); err != nil {
		return s, fmt.Errorf("notebook_loop.py printed %q: %w", run.Out, err)
	}
	return s, nil
}

// video runs `mindflow video` and times the process from its start to its end.
func (p *notebookPlan) video(ctx context.Context, flags ...string) (s waySpeed, err error) {
	run, err := process.Run(ctx, p.Binary, append([]string{"video", p.Clip}, flags...)...)
	if err != nil {
		return s, err
	}
	n, ok := process.Frames(run.Out)
	if !ok {
		return s, fmt.Errorf("mindflow video printed no number of frames: %q", run.Out)
	}
	return waySpeed{n, float64(n) / run.Wall.Seconds(), run.CPU.Seconds() * 1000 / float64(n)}, nil
}

// of returns the median of a value over a way's runs.
func (w *notebookWay) of(value func(waySpeed) float64) float64 {
	var values []float64
	for _, r := range w.runs {
		values = append(values, value(r))
	}
	return doctable.Median(values)
}

func (w *notebookWay) speed() float64 { return w.of(func(s waySpeed) float64 { return s.speed }) }

func (w *notebookWay) cpu() float64 { return w.of(func(s waySpeed) float64 { return s.cpu }) }

func wayTable(ways []*notebookWay) string {
	text := "| way | frames | frames a second | slowest to fastest run | times the notebook's | goal " +
		"| CPU ms a frame |\n|---|---|---|---|---|---|---|\n"
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
	return text + "\n`mindflow video` is timed from the start of the process to its end, " +
		"with the loading of the models; the notebook's loop without it.\n"
}

// missedGoals returns an error for each goal that was missed.
func missedGoals(ways []*notebookWay) error {
	var err error
	for _, w := range ways {
		if times := w.speed() / ways[0].speed(); times < w.goal {
			failed := fmt.Errorf("%s is %.1f times as fast as the notebook, the goal is %.1f", w.name, times, w.goal)
			err = errors.Join(err, failed)
		}
	}
	return err
}
