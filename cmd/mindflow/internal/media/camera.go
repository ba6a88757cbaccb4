package media

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"
	"strings"
	"time"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/models/engine"
	"mindflow/pipeline"
	"mindflow/pipeline/avdec/avfile"
	"mindflow/pipeline/camera"
	"mindflow/pipeline/ort"
	"mindflow/pipeline/vpx"
)

// cameraFlags holds the settings of `camera`.
type cameraFlags struct {
	device, input string // optional
	synthetic     bool
	size          string
	rate          float64
	asJSON        bool

	publish string // optional
	token   settings.Secret
	bitrate int // kbit/s

	capture camera.Settings // set by check
	engine  engine.Settings
}

func newCameraFlags(fs *flag.FlagSet) *cameraFlags {
	f := &cameraFlags{engine: engine.Default()}
	fs.StringVar(&f.device, "camera", "", "`camera`: the N of /dev/videoN, its path or a part of its name; the first "+
		"where none is named. --device N does as well")
	fs.BoolVar(&f.synthetic, "synthetic", false, "instead of a camera, take a picture that is drawn")
	fs.StringVar(&f.input, "input", "", "instead of a camera, play this video `file` once, at its own size and speed; "+
		"or read the network camera at this address (rtsp://…, http://…, https://…)")
	fs.StringVar(&f.size, "size", "640x480", "`pixels` wanted of the camera, which gives the nearest it can")
	fs.Float64Var(&f.rate, "rate", 30, "frames a second wanted of the camera")
	fs.BoolVar(&f.asJSON, "json", false, "print one JSON object for each analysed frame")
	fs.StringVar(&f.publish, "publish", "", "send the camera to the Mindflow server at this `URL` (WHIP) and print "+
		"the labels that it answers")
	fs.Var(&f.token, "token", "bearer `token` for --publish; MINDFLOW_TOKEN keeps it out of the list of processes")
	fs.IntVar(&f.bitrate, "bitrate", 2000, "kbit/s of the video that --publish sends")
	return f
}

func (f *cameraFlags) check() error {
	sources := 0
	for _, named := range []bool{f.device != "", f.synthetic, f.input != ""} {
		if named {
			sources++
		}
	}
	w, h, err := parseSize(f.size)
	f.capture = camera.Settings{Width: w, Height: h, Rate: f.rate}
	switch {
	case sources > 1:
		return errors.New("camera: choose one of --camera, --synthetic and --input")
	case err != nil:
		return err
	case !(f.rate >= 1 && f.rate <= 240): // also what is not a number
		return fmt.Errorf("--rate %v: use 1 to 240 frames a second", f.rate)
	case f.bitrate < vpx.MinBitrate/1000 || f.bitrate > vpx.MaxBitrate/1000:
		return fmt.Errorf("--bitrate %d: use %d to %d kbit/s", f.bitrate, vpx.MinBitrate/1000, vpx.MaxBitrate/1000)
	}
	if err := settings.CheckToken(f.token); err != nil {
		return err
	}
	if f.publish != "" {
		if f.publish, err = whipURL(f.publish); err != nil {
			return fmt.Errorf("--publish: %w", err)
		}
	}
	return nil
}

// cameraFromDevice takes the value of --device for the camera where it names nothing that networks run on, as
// `--device 2`.
func (f *cameraFlags) cameraFromDevice(on *engine.Device) {
	if on.Name == "" || on.Name == engine.Auto || f.device != "" {
		return
	}
	if _, err := ort.ParseDevice(on.Name); err != nil {
		f.device, on.Name = on.Name, ""
	}
}

// parseSize parses WIDTHxHEIGHT, in pixels. Both are even, since chroma is halved.
func parseSize(text string) (w, h int, err error) {
	var rest string
	if n, _ := fmt.Sscanf(text, "%dx%d%s", &w, &h, &rest); n != 2 || w < 16 || h < 16 || w > 4096 || h > 4096 ||
		w%2+h%2 > 0 {
		return 0, 0, fmt.Errorf("--size %s: use WIDTHxHEIGHT, even numbers of 16 to 4096, such as 640x480", text)
	}
	return w, h, nil
}

// whipURL returns the WHIP address of a server. It adds whip to an address without a path, or whose path is a folder,
// such as the path prefix of a proxy.
func whipURL(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", errors.New("not the address of a server; use http://HOST:PORT or https://HOST")
	}
	if u.User != nil {
		return "", errors.New("the address holds a password; pass a token by --token instead")
	}
	if folder := strings.TrimRight(u.Path, "/"); folder == "" || folder != u.Path && path.Base(folder) != "whip" {
		u.Path, u.RawPath = folder+"/whip", ""
	}
	return u.String(), nil
}

// open finds the camera, or makes what replaces it.
func (f *cameraFlags) open() (camera.Device, error) {
	switch {
	case f.synthetic:
		return camera.Synthetic(f.capture)
	case strings.Contains(f.input, "://"):
		origin, err := avfile.Origin(f.input)
		if err != nil {
			return camera.Device{}, fmt.Errorf("--input: %w", err)
		}
		return camera.Stream(origin, func(ctx context.Context) (pipeline.Video, error) {
			return avfile.OpenLive(ctx, f.input)
		})
	case f.input != "":
		return camera.Play(f.input, func() (pipeline.Video, error) { return openClip(f.input) })
	}
	device, err := camera.Find(f.device)
	if errors.Is(err, camera.ErrNone) {
		return device, fmt.Errorf("camera: %w; connect one, or try --synthetic or --input FILE", err)
	}
	if err != nil {
		return device, fmt.Errorf("--camera: %w", err)
	}
	return device, nil
}

// refuseAnalysisFlags refuses flags on analysis, which the server does. Settings that a file or the environment holds
// for other commands are ignored.
func refuseAnalysisFlags(from settings.Sources) error {
	for _, name := range []string{"model", "detector", "preset", "smoothing", "max-faces", "threads"} {
		if from[name] == "--"+name {
			return fmt.Errorf("camera: --%s has no effect with --publish, where the server analyses; to choose one of "+
				"its models, publish to 'URL?model=NAME'", name)
		}
	}
	return nil
}

// Camera labels the faces before this machine's camera, here or on a server.
func Camera() settings.Command {
	fs := settings.NewFlags("camera")
	how := newCameraFlags(fs)
	settings.EngineFlags(fs, &how.engine)
	return settings.Command{Flags: fs, Run: func(ctx context.Context, call settings.Call, out io.Writer) error {
		how.cameraFromDevice(&how.engine.Device)
		if how.publish != "" {
			if err := refuseAnalysisFlags(call.From); err != nil {
				return err
			}
		}
		if len(call.Args) > 0 {
			return fmt.Errorf("camera takes no argument %q; --camera names one, --input a video to play", call.Args[0])
		}
		return how.run(ctx, out)
	}}
}

// run labels until it is interrupted, which is how a camera ends. A video that replaces the camera has an end.
func (f *cameraFlags) run(ctx context.Context, out io.Writer) error {
	if err := f.check(); err != nil {
		return err
	}
	device, err := f.open()
	if err != nil {
		return err
	}
	show := newLabelPrinter(out, os.Stderr, f.asJSON)
	if f.publish != "" {
		err = publish(ctx, f, device, show)
	} else {
		err = analyse(ctx, f, device, show)
	}
	show.end()
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		if f.input == "" || strings.Contains(f.input, "://") { // no end is expected
			return nil
		}
		return fmt.Errorf("%s: interrupted; what was done is kept", f.input)
	}
	return err
}

// analyse labels the camera's frames on this machine.
func analyse(ctx context.Context, how *cameraFlags, device camera.Device, show *labelPrinter) (err error) {
	settings.ProbeAuto(ctx, &how.engine)
	e, err := engine.Open(how.engine.WithFirstClassifier())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	f := startSource(ctx, device, how.capture, show)
	defer func() { err = errors.Join(err, f.close()) }()

	analyzer := e.NewAnalyzer()
	for seq := uint64(1); ; seq++ {
		frame, ok := f.next(ctx)
		if !ok {
			return ctx.Err()
		}
		m := pipeline.Message{V: pipeline.Version, Seq: seq}
		if err := analyzer.Analyze(ctx, &m, frame); err != nil {
			return fmt.Errorf("analyse: %w", err)
		}
		m.Dropped = f.dropped()
		m.MS.Total = float64(time.Since(frame.Arrived).Microseconds()) / 1000
		if err := show.message(&m, frame.Arrived.Sub(f.began)); err != nil {
			return err
		}
	}
}
