// Agreement plays a clip through every way there is to its labels, lays the results on one clock, and
// says how often they show the same label at the same moment.
//
//	go run ./bench/agreement -clip woman-distress-to-laugh.mp4
//
// The file's own frames are the reference clock. How a live way's clock lies on it is found by least squares over
// the boxes (align.go). Chromium's camera gets the clip once, and black behind it.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"mindflow/pipeline/testkit"
)

// wanted is the agreement, in per cent, under which the command fails.
const wanted = 95

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "agreement:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	dir, _ := testkit.MediaDir()
	p := place{root: testkit.Root()}
	flag.StringVar(&p.binary, "binary", filepath.Join(p.root, "bin", "mindflow"), "mindflow, a `file`")
	flag.StringVar(&p.clip, "clip", filepath.Join(dir, "woman-distress-to-laugh.mp4"), "video `file` with one face that moves")
	keep := flag.String("keep", "", "`folder` for the messages of each way")
	from := flag.String("from", "", "compare what -keep put in this `folder` instead of playing the clip")
	flag.Parse()
	var done []track
	for _, w := range ways {
		lines, err := load(*from, w.name)
		if *from == "" {
			fmt.Fprintf(os.Stderr, "%s …\n", w.name)
			lines, err = w.run(ctx, p)
		}
		if errors.Is(err, errAbsent) {
			fmt.Fprintf(os.Stderr, "%s is left out: %v\n", w.name, err)
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		if len(lines) < 20 {
			return fmt.Errorf("%s: only %d messages", w.name, len(lines))
		}
		if err := save(*keep, w.name, lines); err != nil {
			return err
		}
		t := track{name: w.name, samples: samples(lines)}
		if len(done) > 0 {
			t.samples, t.fit = align(done[0].samples, t.samples)
		}
		done = append(done, t)
	}
	return report(done)
}

// track is what one way says, on the reference's clock.
type track struct {
	name    string
	samples []sample
	fit     fit
}

// save writes a way's messages, one a line, when there is a folder for them.
func save(folder, name string, lines []line) error {
	if folder == "" {
		return nil
	}
	var out bytes.Buffer
	to := json.NewEncoder(&out)
	for _, l := range lines {
		if err := to.Encode(l); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(folder, name+".jsonl"), out.Bytes(), 0o644)
}

// load reads what save wrote.
func load(folder, name string) ([]line, error) {
	if folder == "" {
		return nil, errAbsent
	}
	text, err := os.ReadFile(filepath.Join(folder, name+".jsonl"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: %w", errAbsent, err)
	}
	if err != nil {
		return nil, err
	}
	return parse(text)
}

func report(tracks []track) error {
	reference := tracks[0].samples
	frame := reference[len(reference)-1].at / float64(len(reference)-1)
	fmt.Println("| way | moments | shift, s | boxes differ by, % of the frame |\n|---|---|---|---|")
	for _, t := range tracks {
		fmt.Printf("| %s | %d | %.2f to %.2f | %.2f |\n", t.name, len(t.samples), t.fit.from, t.fit.to, 100*t.fit.rms)
	}
	fmt.Println("\n| pair | moments matched | same label | same with “uncertain” |\n|---|---|---|---|")
	var short error
	for i, a := range tracks {
		for _, b := range tracks[i+1:] {
			g := compare(b.samples, a.samples, frame/2)
			percent := 100 * float64(g.label) / float64(max(1, g.matched))
			fmt.Printf("| %s, %s | %d | %.1f %% | %.1f %% |\n", a.name, b.name, g.matched, percent, 100*float64(g.shown)/float64(max(1, g.matched)))
			if percent < wanted {
				short = errors.Join(short, fmt.Errorf("%s and %s agree in %.1f %% of %d moments, under %d %%", a.name, b.name, percent, g.matched, wanted))
			}
		}
	}
	return short
}
