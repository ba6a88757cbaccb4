// Package media holds the commands for pictures, videos and the camera: image, video, camera and loadtest.
package media

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/models/engine"
	"mindflow/pipeline"
	"mindflow/pipeline/vision"
)

// picture is one line of `image --json`.
type picture struct {
	File   string           `json:"file"`
	Width  int              `json:"width"`
	Height int              `json:"height"`
	Faces  []pipeline.Label `json:"faces"`
}

// Image labels the faces in picture files.
func Image() settings.Command {
	fs := settings.NewFlags("image FILE…")
	asJSON := fs.Bool("json", false, "print one JSON object a line")
	annotate := fs.String("annotate", "", "also write the picture with boxes and labels to this `file` (for several "+
		"pictures: folder)")
	chosen := engine.Default()
	settings.EngineFlags(fs, &chosen)
	return settings.Command{Flags: fs, Run: func(ctx context.Context, call settings.Call, out io.Writer) (err error) {
		files := call.Args
		if len(files) == 0 {
			return errors.New("image: name at least one picture file, an address of HTTP, or - for standard input")
		}
		targets, err := annotationTargets(*annotate, shownNames(files), "", vision.CheckWritable)
		if err != nil {
			return err
		}
		settings.ProbeAuto(ctx, &chosen)
		e, err := engine.Open(chosen.WithFirstClassifier())
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, e.Close()) }()
		return labelPictures(ctx, e, files, targets, *asJSON, out)
	}}
}

// labelPictures labels the faces of each file. A bad file is named and the others are still done.
func labelPictures(ctx context.Context, e *engine.Engine, files, targets []string, asJSON bool,
	out io.Writer) (err error) {
	for i, file := range files {
		p, failed := readPicture(ctx, e, file, targets[i])
		if failed != nil && ctx.Err() != nil {
			return errors.Join(err, fmt.Errorf("interrupted at %s; %d of %d pictures were not done",
				shownName(file), len(files)-i, len(files)))
		}
		if failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		if failed := printPicture(out, p, asJSON); failed != nil {
			return errors.Join(err, fmt.Errorf("print the results: %w; check free space and the program "+
				"that reads the output", failed))
		}
	}
	return err
}

func readPicture(ctx context.Context, e *engine.Engine, file, target string) (p picture, err error) {
	pic, err := openPicture(ctx, file)
	if err != nil {
		return p, err
	}
	file = shownName(file)
	defer func() { err = errors.Join(err, pic.Close()) }()
	f, err := pic.Frame()
	if err != nil {
		return p, fmt.Errorf("%s: %w", file, err)
	}
	f.Arrived = time.Now()
	var m pipeline.Message
	if err := e.NewAnalyzer().Analyze(ctx, &m, f); err != nil {
		return p, fmt.Errorf("%s: %w", file, err)
	}
	p = picture{File: file, Width: m.Width, Height: m.Height, Faces: m.Faces}
	if target == "" {
		return p, nil
	}
	pic.Draw(m.Faces)
	return p, pic.Write(target)
}

func openPicture(ctx context.Context, file string) (*vision.Picture, error) {
	if !isStream(file) {
		return vision.Read(file)
	}
	data, err := readStream(ctx, file)
	if err != nil {
		return nil, err
	}
	return vision.Decode(shownName(file), data)
}

func printPicture(out io.Writer, p picture, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(p)
	}
	noun := "faces"
	if len(p.Faces) == 1 {
		noun = "face"
	}
	if _, err := fmt.Fprintf(out, "%s: %d %s\n", p.File, len(p.Faces), noun); err != nil {
		return err
	}
	for _, face := range p.Faces {
		doubt := ""
		if face.Uncertain {
			doubt = " (uncertain)"
		}
		x, y := face.Box[0]*float32(p.Width), face.Box[1]*float32(p.Height)
		w, h := face.Box[2]*float32(p.Width), face.Box[3]*float32(p.Height)
		if _, err := fmt.Fprintf(out, "  %-8s %3.0f%%%s  at %.0f,%.0f, %.0f by %.0f pixels\n",
			face.Label, 100*face.Confidence, doubt, x, y, w, h); err != nil {
			return err
		}
	}
	return nil
}
