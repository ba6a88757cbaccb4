// Video says how fast `mindflow video` goes through a clip, each command in a process of its own, loading the models
// included: the median of several runs, in which the commands take turns.
//
//	go run ./bench/video [FLAGS] [-- FLAGS OF VIDEO]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"mindflow/bench/doctable"
	"mindflow/bench/process"
)

// way is one command, FILE standing for the clip and FOLDER for one to write to.
type way struct {
	args string
	runs []process.Timed
}

var ways = []*way{
	{args: "video FILE"},
	{args: "video FILE --threads 2"},
	{args: "video FILE --annotate FOLDER/out.mp4 --csv --out FOLDER/out.csv"},
}

func main() {
	process.Main("video", func(ctx context.Context) error {
		binary := flag.String("binary", process.Binary(), "mindflow, a `file`")
		clip := flag.String("clip", process.Clip(), "video `file` with a face")
		runs := flag.Int("runs", 3, "times that each command runs")
		write := flag.Bool("write", false, "write the table into "+doctable.Name)
		flag.Parse()
		if *runs < 1 {
			return errors.New("use -runs of 1 or more")
		}
		text, err := measure(ctx, *binary, *clip, *runs, flag.Args())
		if err != nil {
			return err
		}
		fmt.Print(text)
		if !*write {
			return nil
		}
		return doctable.Write("video", text)
	})
}

func measure(ctx context.Context, binary, clip string, runs int, more []string) (text string, err error) {
	if _, err := os.Stat(clip); err != nil {
		return "", fmt.Errorf("%w; name a video of a face by -clip", err)
	}
	folder, err := os.MkdirTemp("", "video")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	command := "make bench"
	if len(more) > 0 {
		command = "go run ./bench/video -- " + strings.Join(more, " ")
	}
	text = fmt.Sprintf("%s, %s; medians of %d runs", doctable.Measured(command), doctable.Busy(), runs)
	frames := 0
	for range runs {
		for _, w := range ways {
			args := append(w.command(clip, folder), more...)
			run, err := process.Run(ctx, binary, args...)
			if err != nil {
				return "", err
			}
			w.runs = append(w.runs, run)
			if n, ok := process.Frames(run.Out); ok {
				frames = n
			}
		}
	}
	if frames == 0 {
		return "", fmt.Errorf("%s says no number of frames: %q", ways[0].args, ways[0].runs[0].Out)
	}
	return fmt.Sprintf("%s, %d frames.\n\n%s", text, frames, table(clip, frames)), nil
}

func (w *way) command(clip, folder string) (args []string) {
	for _, arg := range strings.Fields(w.args) {
		args = append(args, strings.ReplaceAll(strings.Replace(arg, "FILE", clip, 1), "FOLDER", folder))
	}
	return args
}

func table(clip string, frames int) string {
	text := "| command | seconds | CPU seconds | frames a second |\n|---|---|---|---|\n"
	for _, w := range ways {
		var wall, cpu []float64
		for _, r := range w.runs {
			wall, cpu = append(wall, r.Wall.Seconds()), append(cpu, r.CPU.Seconds())
		}
		shown := "mindflow " + strings.NewReplacer("FILE", filepath.Base(clip), "FOLDER/", "").Replace(w.args)
		text += fmt.Sprintf("| `%s` | %.1f | %.1f | %.0f |\n", shown, doctable.Median(wall), doctable.Median(cpu), float64(frames)/doctable.Median(wall))
	}
	return text
}
