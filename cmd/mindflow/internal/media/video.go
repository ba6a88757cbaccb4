package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/cmd/mindflow/internal/terminal"
	"mindflow/models/engine"
	"mindflow/pipeline"
	"mindflow/pipeline/avdec/avfile"
	"mindflow/pipeline/vision"
)

// videoFlags holds the settings of `video`.
type videoFlags struct {
	asJSON, asCSV bool
	out           string  // optional; standard output without it
	annotate      string  // optional
	rate          float64 // frames a second; 0 is all
	bgr           bool    // of the preset
	engine        engine.Settings
}

func (f *videoFlags) check() error {
	switch {
	case f.asJSON && f.asCSV:
		return errors.New("video: choose --json or --csv")
	case f.rate != 0 && !(f.rate >= 0.001 && f.rate <= 1000): // also what is not a number
		return fmt.Errorf("--rate %v: use 0.001 to 1000 frames a second, or 0 for every frame", f.rate)
	}
	return nil
}

// Video labels the faces in video files over time.
func Video() settings.Command {
	fs := settings.NewFlags("video FILE…")
	how := &videoFlags{engine: engine.Default()}
	fs.BoolVar(&how.asJSON, "json", false, "print one JSON object for each frame")
	fs.BoolVar(&how.asCSV, "csv", false, "print one CSV row for each face of each frame")
	fs.StringVar(&how.out, "out", "", "print to this `file`; it gets its name when it is whole")
	fs.StringVar(&how.annotate, "annotate", "", "also write the video with boxes and labels, without its sound, to "+
		"this MP4 `file` (for several videos: folder)")
	fs.Float64Var(&how.rate, "rate", 0, "analyse this many frames a second, 0 for every frame")
	settings.EngineFlags(fs, &how.engine)
	return settings.Command{Flags: fs, Run: func(ctx context.Context, call settings.Call, out io.Writer) error {
		if err := how.check(); err != nil {
			return err
		}
		if len(call.Args) == 0 {
			return errors.New("video: name at least one video file or folder, an address of HTTP, or - for " +
				"standard input")
		}
		return labelVideos(ctx, *how, call.Args, out)
	}}
}

// labelVideos labels the faces in each video that names stand for. A bad file is named and the others are still done.
func labelVideos(ctx context.Context, how videoFlags, names []string, out io.Writer) (err error) {
	files, missing := videoFiles(names)
	if len(files) == 0 {
		return missing
	}
	targets, err := annotationTargets(how.annotate, shownNames(files), ".mp4", vision.CheckRecordable)
	if err != nil {
		return err
	}
	preset, err := engine.LookupPreset(how.engine.Preset)
	if err != nil {
		return err
	}
	how.bgr = preset.BGR
	settings.ProbeAuto(ctx, &how.engine)
	e, err := engine.Open(how.engine.WithFirstClassifier())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	return errors.Join(missing, labelFiles(ctx, e, how, files, targets, out))
}

// labelFiles labels one file after the other. It stops early when it is interrupted or its output fails.
func labelFiles(ctx context.Context, e *engine.Engine, how videoFlags, files, targets []string,
	out io.Writer) (err error) {
	t, err := openTable(out, how.out, append(files, targets...))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	w := videoLabeller{engine: e, rate: how.rate, bgr: how.bgr, rows: t.rows(how, len(files) > 1,
		e.Analysis.Model.Labels)}
	if t.file != nil || !how.asJSON && !how.asCSV || !terminal.Is(out) {
		w.progress = terminal.NewFrames(os.Stderr, "frames")
	}
	for i, file := range files {
		if ctx.Err() != nil {
			return errors.Join(err, fmt.Errorf("interrupted before %s; %d of %d files were not begun",
				shownName(file), len(files)-i, len(files)))
		}
		failed := w.file(ctx, file, targets[i])
		if t.Flush() != nil {
			return err // the table's Close returns the cause
		}
		err = errors.Join(err, failed)
	}
	return err
}

// videoLabeller analyses videos and prints their labels.
type videoLabeller struct {
	engine   *engine.Engine
	rate     float64 // frames a second, 0 for all
	bgr      bool    // analyse what OpenCV makes of the frames
	rows     rows
	progress *terminal.Frames // optional
}

func (w *videoLabeller) file(ctx context.Context, name, target string) (err error) {
	path := name
	if isStream(name) {
		var remove func() error
		if path, remove, err = spool(ctx, name); err != nil && ctx.Err() != nil {
			return fmt.Errorf("%s: interrupted before all of it was there", shownName(name))
		}
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, remove()) }()
		name = shownName(name)
	}
	v, err := avfile.OpenAs(path, name)
	if err != nil {
		return err
	}
	return errors.Join(w.video(ctx, v, name, target), v.Close())
}

// video labels one file. It completes the outputs with what was done when it is interrupted, when the reader of the
// rows leaves and when the file is damaged. It removes them when anything else fails.
func (w *videoLabeller) video(ctx context.Context, v *avfile.Video, name, target string) error {
	pass := &pass{name: name, video: v, recording: recording{path: target, rate: v.Rate},
		sampling: sampling{rate: w.rate}}
	if w.rate > 0 {
		pass.recording.rate = min(v.Rate, w.rate)
	}
	err := errors.Join(w.frames(ctx, pass), pass.closePicture())
	w.progress.Clear()
	var output *outputError
	switch {
	case err == nil:
		if err = v.CheckComplete(); err != nil {
			err = fmt.Errorf("%s: %w", name, err)
		}
	case ctx.Err() != nil:
		err = fmt.Errorf("%s: interrupted after %d frames, at %.1f s; what was done is kept", name, pass.read,
			pass.at.Seconds())
	case errors.As(err, &output): // the table's Close returns the cause
		return pass.recording.close()
	default:
		return errors.Join(fmt.Errorf("%s: %w", name, err), pass.recording.discard())
	}
	return errors.Join(pass.recording.close(), w.rows.end(pass), err)
}

// outputError is the error of a row that could not be printed.
type outputError struct{ error }

// pass is one run through a file.
type pass struct {
	name      string
	video     *avfile.Video
	recording recording
	sampling  sampling

	picture  *vision.Picture // nil before the first takePicture
	read     int             // frames
	analysed int
	at       time.Duration // of the latest frame
	message  pipeline.Message
}

// takePicture makes the picture of the video's latest frame.
func (p *pass) takePicture() error {
	bgr, w, h, err := p.video.BGR()
	if err != nil {
		return err
	}
	pixels := vision.Pixels{BGR: bgr, Width: w, Height: h}
	if p.picture != nil {
		return p.picture.SetPixels(pixels)
	}
	p.picture, err = vision.FromPixels(pixels)
	return err
}

func (p *pass) closePicture() error {
	if p.picture == nil {
		return nil
	}
	return p.picture.Close()
}

// frames analyses the frames that are due, up to the end of the file.
func (w *videoLabeller) frames(ctx context.Context, p *pass) error {
	analyzer := w.engine.NewAnalyzer()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		began := time.Now()
		f, at, err := p.video.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		p.at = at
		if p.sampling.due(at) {
			if err := w.frame(ctx, p, analyzer, f, began); err != nil {
				return err
			}
		}
		p.read++
		w.progress.Show(p.name, p.read, p.video.Frames)
	}
}

func (w *videoLabeller) frame(ctx context.Context, p *pass, analyzer *pipeline.Analyzer, f *pipeline.Frame,
	began time.Time) (err error) {
	if w.bgr || p.recording.path != "" {
		if err := p.takePicture(); err != nil {
			return err
		}
	}
	if w.bgr {
		if f, err = p.picture.Frame(); err != nil {
			return err
		}
		f.Decode = time.Since(began)
	}
	f.Arrived = time.Unix(0, 0).Add(p.at) // tracking and smoothing use the video's clock
	m := &p.message
	if err := analyzer.Analyze(ctx, m, f); err != nil {
		return err
	}
	p.analysed++
	m.V, m.Seq = pipeline.Version, uint64(p.analysed)
	m.MS.Total = float64(time.Since(began).Microseconds()) / 1000
	for i := range m.Faces {
		m.Faces[i].AgeMS = m.MS.Total // real time, not the video's
	}
	if err := w.rows.add(p); err != nil {
		return &outputError{err}
	}
	return p.recording.add(ctx, p.picture, p.at, m.Faces)
}

// sampling picks the first frame of each interval of 1/rate.
type sampling struct {
	rate float64 // a second; 0 picks every frame
	next float64 // number of the interval
}

func (s *sampling) due(at time.Duration) bool {
	if s.rate == 0 {
		return true
	}
	interval := math.Floor(at.Seconds()*s.rate + 1e-4) // containers round times, so a frame may be early by a little
	if interval < s.next {
		return false
	}
	s.next = interval + 1
	return true
}
