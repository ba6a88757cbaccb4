package main

import (
	"context"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mindflow/bench/process"
	"mindflow/models"
	"mindflow/models/engine"
	"mindflow/pipeline"
	"mindflow/pipeline/testkit"
	"mindflow/pipeline/vision"
)

// photo is a picture with the boxes of its faces.
type photo struct {
	frame pipeline.Frame
	faces []pipeline.Box
}

// runDetectors compares the face detectors that the arguments name, or all of the manifest, on annotated photographs:
// how many of the marked faces each finds, how many it finds where none is marked, and how long it takes for a frame of
// 640×480. The time is the median by the clock, and the mean of all processors together, which other load on the
// machine disturbs less.
func runDetectors(ctx context.Context, flags *flag.FlagSet, args []string) error {
	dir, _ := testkit.MediaDir()
	folder := flags.String("faces", filepath.Join(dir, "dlib-faces"),
		"`folder` of photographs with annotations in *.xml, as dlib's examples/faces has them")
	rounds := flags.Int("rounds", 5, "how often each photograph is timed")
	settings := process.AddEngineFlags(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *rounds < 1 {
		return errors.New("use -rounds of 1 or more")
	}
	photos, err := readPhotos(*folder)
	if err != nil {
		return err
	}
	names := flags.Args()
	if len(names) == 0 {
		manifest, err := models.Default()
		if err != nil {
			return err
		}
		for _, m := range manifest.Models {
			if m.Role == models.Detect {
				names = append(names, m.Name)
			}
		}
	}
	var rows []detectorRow
	var failed error
	for _, name := range names {
		settings.Detector = name
		r, err := measureDetector(ctx, *settings, photos, *rounds)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", name, err))
			continue
		}
		rows = append(rows, r)
	}
	fmt.Printf("%d photographs, --threads %d\n\n%s", len(photos), settings.Threads, detectorTable(rows))
	return failed
}

// detectorRow is the result of one detector.
type detectorRow struct {
	name             string
	all, hits, extra int     // marked faces, those found, and finds elsewhere
	clock, cpu       float64 // ms a frame: the median, the mean
}

// detectorTable returns the table as models/README.md has it.
func detectorTable(rows []detectorRow) string {
	var b strings.Builder
	b.WriteString("| detector | found | extra | ms per 640×480 frame | CPU ms |\n|---|---|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| `%s` | %d of %d | %d | %.1f | %.1f |\n", r.name, r.hits, r.all, r.extra, r.clock, r.cpu)
	}
	return b.String()
}

// measureDetector measures one detector.
func measureDetector(ctx context.Context, s engine.Settings, photos []photo, rounds int) (r detectorRow, err error) {
	e, err := engine.Open(s)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	r.name = s.Detector
	var times []time.Duration
	var busy time.Duration
	for i := range photos {
		p := &photos[i]
		found, err := e.Analysis.Detector.Detect(ctx, nil, &p.frame)
		if err != nil {
			return r, err
		}
		h := matchedFaces(p.faces, found)
		r.all, r.hits, r.extra = r.all+len(p.faces), r.hits+h, r.extra+len(found)-h
		frame := scaledFrame(&p.frame, 640, 480)
		for round := range rounds + 1 {
			began, before := time.Now(), process.OwnCPU()
			if found, err = e.Analysis.Detector.Detect(ctx, found[:0], frame); err != nil {
				return r, err
			}
			if round > 0 { // the first allocates
				times, busy = append(times, time.Since(began)), busy+process.OwnCPU()-before
			}
		}
	}
	slices.Sort(times)
	r.clock, r.cpu = times[len(times)/2].Seconds()*1000, busy.Seconds()*1000/float64(len(times))
	return r, nil
}

// matchedFaces counts the marked faces that a found face overlaps. Detectors draw their boxes differently, from the
// brows or from the hair, so an IoU of a third is enough.
func matchedFaces(marked []pipeline.Box, found []pipeline.Face) (n int) {
	for _, b := range marked {
		if slices.ContainsFunc(found, func(f pipeline.Face) bool { return f.Box.IoU(b) >= 0.35 }) {
			n++
		}
	}
	return n
}

// photoAnnotations is the format of dlib's examples.
type photoAnnotations struct {
	Images []struct {
		File  string `xml:"file,attr"`
		Boxes []struct {
			Top    float32 `xml:"top,attr"`
			Left   float32 `xml:"left,attr"`
			Width  float32 `xml:"width,attr"`
			Height float32 `xml:"height,attr"`
		} `xml:"box"`
	} `xml:"images>image"`
}

func readPhotos(folder string) (photos []photo, err error) {
	lists, err := filepath.Glob(filepath.Join(folder, "*.xml"))
	if err != nil || len(lists) == 0 {
		return nil, fmt.Errorf("no *.xml in %q; name a folder of annotated photographs with -faces", folder)
	}
	for _, list := range lists {
		file, err := os.Open(list)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		var a photoAnnotations
		decoder := xml.NewDecoder(file)
		decoder.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // names are ASCII
		if err := decoder.Decode(&a); err != nil {
			return nil, fmt.Errorf("%s: %w", list, err)
		}
		for _, img := range a.Images {
			p, err := readFrame(filepath.Join(folder, img.File))
			if err != nil {
				return nil, err
			}
			w, h := float32(p.frame.Width), float32(p.frame.Height)
			for _, b := range img.Boxes {
				p.faces = append(p.faces, pipeline.Box{X: b.Left / w, Y: b.Top / h, W: b.Width / w, H: b.Height / h})
			}
			photos = append(photos, p)
		}
	}
	return photos, nil
}

func readFrame(file string) (p photo, err error) {
	picture, err := vision.Read(file)
	if err != nil {
		return p, err
	}
	frame, err := picture.Frame()
	if err == nil {
		p.frame.CopyFrom(frame)
	}
	return p, errors.Join(err, picture.Close())
}

// scaledFrame resizes a frame to the nearest pixels, which is enough to measure time.
func scaledFrame(f *pipeline.Frame, w, h int) *pipeline.Frame {
	s := &pipeline.Frame{Width: w, Height: h, YStride: w, CStride: w / 2, FullRange: f.FullRange}
	plane := func(src []byte, stride, sw, sh, w, h int) (dst []byte) {
		for y := range h {
			for x := range w {
				dst = append(dst, src[y*sh/h*stride+x*sw/w])
			}
		}
		return dst
	}
	s.Y = plane(f.Y, f.YStride, f.Width, f.Height, w, h)
	s.U = plane(f.U, f.CStride, (f.Width+1)/2, (f.Height+1)/2, w/2, h/2)
	s.V = plane(f.V, f.CStride, (f.Width+1)/2, (f.Height+1)/2, w/2, h/2)
	return s
}
