// Crop finds the square around a detector's box that shows a classifier what it was trained on. It
// pastes FER+ valid pictures into larger ones, lets the detector find them, and prints, for a grid of
// scales and shifts, how often the classifier is right on the crop, beside how often it is on the
// original picture.
//
//	go run ./bench/crop -data FERPLUS.tar.gz [-n 800]
package main

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"mindflow/models/dataset"
	"mindflow/models/engine"
	"mindflow/pipeline"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "crop:", err)
		os.Exit(1)
	}
}

// trial is one choice of crop and how it did.
type trial struct {
	rule  pipeline.CropRule
	right int
}

func run(ctx context.Context) error {
	data := flag.String("data", "", "FER+ `archive` or folder: FER2013Valid/ with pictures and label.csv")
	n := flag.Int("n", 800, "how many pictures")
	side := flag.Int("side", 160, "side of the pasted picture, pixels")
	scales := flag.String("scales", "0.9,1.0,1.1,1.2,1.3,1.4,1.5", "sides of the square, in the box's longer side")
	shifts := flag.String("shifts", "-0.08,-0.04,0,0.04,0.08", "how far down its centre lies from the box's, in its sides")
	settings := engine.Flags(flag.CommandLine)
	flag.Parse()
	trials, err := grid(*scales, *shifts)
	if err != nil {
		return err
	}
	e, err := engine.Open(*settings)
	if err != nil {
		return err
	}
	defer e.Close()
	faces, err := readFaces(*data, e.Analysis.Model.Labels)
	if err != nil {
		return err
	}
	fmt.Printf("%d pictures with a majority\n", len(faces))
	random := rand.New(rand.NewPCG(1, 2))
	random.Shuffle(len(faces), func(i, j int) { faces[i], faces[j] = faces[j], faces[i] })
	faces = faces[:min(*n, len(faces))]
	return measure(ctx, e, faces, trials, *side, random)
}

// face is one FER+ picture: 48 by 48 grey pixels and the class that most people saw.
type face struct {
	pixels *image.Gray
	label  int
}

// readFaces reads the pictures of FER+ valid that have a majority. labels gives the classes' order.
func readFaces(path string, labels []string) ([]face, error) {
	pictures, _, err := dataset.Read(path, dataset.Options{Labels: labels, Rule: dataset.Majority, Split: "Valid"})
	if err != nil {
		return nil, err
	}
	faces := make([]face, len(pictures))
	for i, p := range pictures {
		data, err := p.Read()
		if err != nil {
			return nil, err
		}
		img, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
		grey := image.NewGray(img.Bounds())
		draw.Draw(grey, grey.Bounds(), img, image.Point{}, draw.Src)
		faces[i] = face{grey, slices.Index(labels, p.Class)}
	}
	return faces, nil
}

// grid makes a trial of each scale with each shift.
func grid(scales, shifts string) (trials []trial, err error) {
	for s := range strings.SplitSeq(scales, ",") {
		scale, err := strconv.ParseFloat(s, 32)
		if err != nil {
			return nil, fmt.Errorf("-scales: %w", err)
		}
		for d := range strings.SplitSeq(shifts, ",") {
			down, err := strconv.ParseFloat(d, 32)
			if err != nil {
				return nil, fmt.Errorf("-shifts: %w", err)
			}
			trials = append(trials, trial{rule: pipeline.CropRule{Scale: float32(scale), Shift: [2]float32{0, float32(down)}}})
		}
	}
	return trials, nil
}

func measure(ctx context.Context, e *engine.Engine, faces []face, trials []trial, side int, random *rand.Rand) error {
	model := e.Analysis.Model
	sampler := pipeline.NewSampler(model.Input)
	crops := make([]pipeline.Crop, len(trials)+1)
	for i := range crops {
		crops[i] = model.Input.NewCrop()
	}
	var scores []pipeline.Scores
	var found []pipeline.Face
	original, seen, began := 0, 0, time.Now()
	for i, one := range faces {
		frame, at := paste(one.pixels, side, random)
		var err error
		if found, err = e.Analysis.Detector.Detect(ctx, found[:0], frame); err != nil {
			return err
		}
		best := slices.IndexFunc(found, func(f pipeline.Face) bool { return f.Box.IoU(at) > 0.3 })
		if best < 0 {
			continue
		}
		seen++
		for k := range trials {
			sampler.Crop(crops[k], frame, trials[k].rule.Region(found[best].Box, frame))
		}
		small := &pipeline.Frame{Width: 48, Height: 48, Y: one.pixels.Pix, YStride: one.pixels.Stride, FullRange: true}
		sampler.Crop(crops[len(trials)], small, pipeline.Region{W: 48, H: 48})
		if scores, err = e.Analysis.Classifier.Classify(ctx, scores[:0], crops); err != nil {
			return err
		}
		for k, s := range scores {
			if top(s.Logits) != one.label {
				continue
			}
			if k == len(trials) {
				original++
			} else {
				trials[k].right++
			}
		}
		if i%50 == 49 {
			left := time.Duration(float64(time.Since(began)) / float64(i+1) * float64(len(faces)-i-1))
			fmt.Fprintf(os.Stderr, "\r%d of %d, %v left ", i+1, len(faces), left.Round(time.Second))
		}
	}
	fmt.Fprintln(os.Stderr)
	report(trials, original, seen, len(faces))
	return nil
}

func report(trials []trial, original, seen, all int) {
	fmt.Printf("found by the detector: %d of %d\nright on the original picture: %.1f %%\n\n",
		seen, all, 100*float64(original)/float64(seen))
	slices.SortStableFunc(trials, func(a, b trial) int { return cmp.Compare(b.right, a.right) })
	fmt.Println("| scale | shift down | right |\n|---|---|---|")
	for _, t := range trials {
		fmt.Printf("| %.2f | %+.2f | %.1f %% |\n", t.rule.Scale, t.rule.Shift[1], 100*float64(t.right)/float64(seen))
	}
}

// paste puts the picture, enlarged to side, at a random place of a 640 by 480 frame of mid grey.
func paste(img *image.Gray, side int, random *rand.Rand) (*pipeline.Frame, pipeline.Box) {
	const w, h = 640, 480
	f := &pipeline.Frame{Width: w, Height: h, YStride: w, CStride: w / 2, FullRange: true,
		Y: make([]byte, w*h), U: make([]byte, w*h/4), V: make([]byte, w*h/4)}
	for i := range f.Y {
		f.Y[i] = 110
	}
	for i := range f.U {
		f.U[i], f.V[i] = 128, 128
	}
	in := pipeline.Input{Size: side, Layout: pipeline.NCHW, Colour: pipeline.Grey, Channels: 1, Scale: 1, Std: [3]float32{1, 1, 1}}
	large := make([]float32, side*side)
	small := &pipeline.Frame{Width: 48, Height: 48, Y: img.Pix, YStride: img.Stride, FullRange: true}
	pipeline.NewSampler(in).Crop(pipeline.Crop{Values: large}, small, pipeline.Region{W: 48, H: 48})
	x0, y0 := random.IntN(w-side), random.IntN(h-side)
	for y := range side {
		for x := range side {
			f.Y[(y0+y)*w+x0+x] = byte(large[y*side+x] + 0.5)
		}
	}
	return f, pipeline.Box{X: float32(x0) / w, Y: float32(y0) / h, W: float32(side) / w, H: float32(side) / h}
}

func top(logits []float32) int {
	best := 0
	for i, v := range logits {
		if v > logits[best] {
			best = i
		}
	}
	return best
}
