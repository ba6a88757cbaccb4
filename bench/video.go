package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"mindflow/bench/doctable"
	"mindflow/bench/process"
)

const videoRuns = 3

// videoCommand is a command that is measured. In its arguments FILE stands for the clip and FOLDER for one to write to.
type videoCommand struct {
	args string
	runs []process.Timed
}

// runVideo measures how fast `mindflow video` analyses a clip, and prints the table of its commands. Each command runs
// in a process of its own, with the loading of the models. The commands take turns, and the median of their runs
// counts.
func runVideo(ctx context.Context, flags *flag.FlagSet, args []string) error {
	var in process.Inputs
	var write bool
	in.AddFlags(flags)
	runs := flags.Int("runs", videoRuns, "times that each command runs")
	doctable.AddWriteFlag(flags, &write)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *runs < 1 {
		return errors.New("use -runs of 1 or more")
	}
	command := "make bench"
	if !write || *runs != videoRuns || flags.NArg() > 0 {
		command = doctable.Command("video", flags.Args(), "-runs", strconv.Itoa(*runs))
	}
	text := fmt.Sprintf("%s, %s; medians of %d runs", doctable.Measured(command), doctable.Load(), *runs)
	measured, err := measureVideo(ctx, in, *runs, flags.Args())
	if err != nil {
		return err
	}
	text += measured
	fmt.Print(text)
	if !write {
		return nil
	}
	return doctable.Write("video", text)
}

// measureVideo runs each command, with the flags in more added. It returns the number of frames and the table.
func measureVideo(ctx context.Context, in process.Inputs, runs int, more []string) (text string, err error) {
	if err := in.CheckClip(); err != nil {
		return "", err
	}
	folder, err := os.MkdirTemp("", "video")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	commands := []*videoCommand{
		{args: "video FILE"},
		{args: "video FILE --threads 2"},
		{args: "video FILE --annotate FOLDER/out.mp4 --csv --out FOLDER/out.csv"},
	}
	frames := 0
	for range runs {
		for _, c := range commands {
			run, err := process.Run(ctx, in.Binary, append(c.filled(in.Clip, folder), more...)...)
			if err != nil {
				return "", err
			}
			c.runs = append(c.runs, run)
			if n, ok := process.Frames(run.Out); ok {
				frames = n
			}
		}
	}
	if frames == 0 {
		return "", fmt.Errorf("mindflow %s printed no number of frames: %q", commands[0].args, commands[0].runs[0].Out)
	}
	return fmt.Sprintf(", %d frames.\n\n%s", frames, videoTable(commands, in.Clip, frames)), nil
}

// filled returns the arguments with the clip and the folder in their places.
func (c *videoCommand) filled(clip, folder string) (args []string) {
	for _, arg := range strings.Fields(c.args) {
		args = append(args, strings.ReplaceAll(strings.Replace(arg, "FILE", clip, 1), "FOLDER", folder))
	}
	return args
}

func videoTable(commands []*videoCommand, clip string, frames int) string {
	text := "| command | seconds | CPU seconds | frames a second |\n|---|---|---|---|\n"
	for _, c := range commands {
		var wall, cpu []float64
		for _, r := range c.runs {
			wall, cpu = append(wall, r.Wall.Seconds()), append(cpu, r.CPU.Seconds())
		}
		shown := "mindflow " + strings.NewReplacer("FILE", filepath.Base(clip), "FOLDER/", "").Replace(c.args)
		text += fmt.Sprintf("| `%s` | %.1f | %.1f | %.0f |\n", shown, doctable.Median(wall), doctable.Median(cpu),
			float64(frames)/doctable.Median(wall))
	}
	return text
}
