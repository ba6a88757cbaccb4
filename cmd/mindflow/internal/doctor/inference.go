package doctor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"mindflow/models"
	"mindflow/models/engine"
	"mindflow/pipeline"
	"mindflow/pipeline/ort"
)

// rebuild is the cure of most faults in our own files.
const rebuild = `run "make build"`

func library(path string) (r Result) {
	const check = "ONNX Runtime"
	runtime, err := ort.Open(path)
	if err != nil {
		return failed(check, err, rebuild)
	}
	defer func() {
		if err := runtime.Close(); err != nil {
			r = failed(check, err, rebuild)
		}
	}()
	providers, err := runtime.Providers()
	if err != nil {
		return failed(check, err, rebuild)
	}
	return ok(check, fmt.Sprintf("%s, built with %s: %s", runtime.Version(), strings.Join(providers, ", "), path))
}

func modelFiles(s engine.Settings, report func(Result)) {
	manifest, err := models.Load(s.Models)
	if err != nil {
		report(failed("models", err, rebuild))
		return
	}
	type model struct{ check, name, role string }
	wanted := []model{{"detector", s.Detector, models.Detect}}
	for _, name := range s.Classifiers {
		wanted = append(wanted, model{"classifier", name, models.Classify})
	}
	for _, m := range wanted {
		_, file, err := engine.Find(manifest, s.Models, m.name, m.role)
		if err != nil {
			report(failed(m.check, err, rebuild))
			continue
		}
		report(ok(m.check, m.name+", sha256 as expected: "+file))
	}
}

// slowFrame is the time of a frame with one face over which labels come less often than ten times a second.
const slowFrame = 100 * time.Millisecond

// inference loads the models as serve does and measures them after a warm-up.
func inference(ctx context.Context, s engine.Settings, sound bool, report func(Result)) {
	const check = "inference"
	if !sound {
		report(Result{check, Warning, "not tried, since a part that it needs failed", "mend that first"})
		return
	}
	var chosen string
	s.Device.Log = func(text string) { chosen = " (" + text + ")" }
	detect, classify, on, err := timeModels(ctx, s)
	if err != nil {
		report(failed(check, err, rebuild))
		return
	}
	r := ok(check, fmt.Sprintf("warm, on %s: %.1f ms to find faces, %.1f ms a face to classify (median of %d, "+
		"--threads %d)%s",
		on, milliseconds(detect), milliseconds(classify), rounds, s.Threads, chosen))
	if detect+classify > slowFrame {
		r.Status, r.Cure = Warning, "labels will come less than ten times a second; end other programs, or try more "+
			"--threads"
	}
	report(r)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func timeModels(ctx context.Context, s engine.Settings) (detect, classify time.Duration, on string, err error) {
	e, err := engine.Open(s)
	if err != nil {
		return 0, 0, "", err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	const w, h = 640, 480
	grey := bytes.Repeat([]byte{128}, w*h)
	frame := &pipeline.Frame{Width: w, Height: h, YStride: w, CStride: w / 2, Y: grey, U: grey[:w*h/4], V: grey[:w*h/4]}
	detect, err = median(func() error {
		_, err := e.Analysis.Detector.Detect(ctx, nil, frame)
		return err
	})
	if err != nil {
		return 0, 0, "", err
	}
	crops := []pipeline.Crop{e.Analysis.Model.Input.NewCrop()}
	classify, err = median(func() error {
		_, err := e.Analysis.Classifier.Classify(ctx, nil, crops)
		return err
	})
	return detect, classify, e.Device(), err
}

// rounds is how many runs are timed. The first runs are slower, which the median leaves out.
const rounds = 9

func median(run func() error) (time.Duration, error) {
	times := make([]time.Duration, rounds)
	for i := range times {
		start := time.Now()
		if err := run(); err != nil {
			return 0, err
		}
		times[i] = time.Since(start)
	}
	slices.Sort(times)
	return times[rounds/2], nil
}
