package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"time"

	"mindflow/models/device"
	"mindflow/pipeline"
	"mindflow/pipeline/ort"
	"mindflow/pipeline/schedule"
	"mindflow/pipeline/synthetic"
)

// probeRequest is what a child is asked to try.
type probeRequest struct {
	Models, Library, Detector, Preset string
	Classifiers                       []string
	Threads, MaxFaces, Batch          int
	MinFace                           float64
	Device, Precision, Engines        string
	Memory                            int
	Limit                             time.Duration
}

// probeAnswer is a child's answer.
type probeAnswer struct {
	device.Report
	Cause string `json:"cause"` // of a failure; empty on success
	Cure  string `json:"cure"`  // empty where the cause is not known
}

func (s Settings) request(on ort.Device, limit time.Duration) probeRequest {
	return probeRequest{
		Models: s.Models, Library: s.Library, Detector: s.Detector, Preset: s.Preset, Classifiers: s.Classifiers,
		Threads: s.Threads, MaxFaces: s.MaxFaces, Batch: s.Batch.MaxCrops, MinFace: s.MinFace,
		Device: on.String(), Precision: s.Device.Precision, Engines: s.Device.Engines, Memory: s.Device.Memory,
		Limit: limit,
	}
}

// Probe answers a request of Device.Child: it reads the request from in, tries the device, and writes the answer to
// out. The parent may have ended, so Probe ends the process at the request's time limit. openCascade is optional.
func Probe(ctx context.Context, in io.Reader, out io.Writer, openCascade CascadeOpener) error {
	var r probeRequest
	if err := json.NewDecoder(in).Decode(&r); err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	defer time.AfterFunc(r.Limit+time.Second, func() { os.Exit(1) }).Stop()
	s := Settings{
		OpenCascade: openCascade,
		Models:      r.Models, Library: r.Library, Detector: r.Detector, Preset: r.Preset, Classifiers: r.Classifiers,
		Threads: r.Threads, MaxFaces: r.MaxFaces, MinFace: r.MinFace, Batch: schedule.Batching{MaxCrops: r.Batch},
		Device: Device{Name: r.Device, Precision: r.Precision, Engines: r.Engines, Memory: r.Memory},
	}
	report, err := s.probeReport(ctx)
	answer := probeAnswer{Report: report}
	var fault *device.Fault
	if errors.As(err, &fault) {
		answer.Cause, answer.Cure = fault.Cause, fault.Cure
	} else if err != nil {
		answer.Cause = err.Error()
	}
	return json.NewEncoder(out).Encode(answer)
}

// probeReport opens the device and measures it.
func (s Settings) probeReport(ctx context.Context) (r device.Report, err error) {
	e, err := Open(s)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	frame, _, err := synthetic.NewVideo(320, 240, 1, time.Second).Next()
	if err != nil {
		return r, err
	}
	for _, a := range e.Analyses {
		var m pipeline.Message
		if err := pipeline.NewAnalyzer(a).Analyze(ctx, &m, frame); err != nil {
			return r, err
		}
		for _, f := range m.Faces {
			r.Scores = append(r.Scores, slices.Clone(f.Scores))
			r.Boxes = append(r.Boxes,
				[]float32{float32(f.Box[0]), float32(f.Box[1]), float32(f.Box[2]), float32(f.Box[3]), f.Score})
		}
	}
	if len(r.Boxes) == 0 {
		return r, errors.New("no face was found in the drawn picture")
	}
	r.Millis, err = e.measure(ctx, frame, s)
	if left := e.Degraded(); err == nil && len(left) > 0 {
		return r, fmt.Errorf("networks left the device for the CPU: %v", left)
	}
	return r, err
}

// Size of a probe's measurement.
const (
	probeBatch  = 8 // faces
	probeRounds = 5
)

// measure returns the median time of a detection and a batch, in milliseconds, after a warm-up. It is divided by the
// number that the CPU runs at once.
func (e *Engine) measure(ctx context.Context, frame *pipeline.Frame, s Settings) (float64, error) {
	crops := make([]pipeline.Crop, min(probeBatch, e.profile.maxFaces))
	for i := range crops {
		crops[i] = e.Analysis.Model.Input.NewCrop()
	}
	var times []float64
	for range probeRounds + 1 {
		start := time.Now()
		if _, err := e.Analysis.Detector.Detect(ctx, nil, frame); err != nil {
			return 0, err
		}
		if _, err := e.Analysis.Classifier.Classify(ctx, nil, crops); err != nil {
			return 0, err
		}
		times = append(times, float64(time.Since(start))/float64(time.Millisecond))
	}
	times = times[1:] // the first allocates memory
	slices.Sort(times)
	median := times[len(times)/2]
	if e.runtime.Device().Provider == ort.CPU {
		median /= float64(max(1, runtime.NumCPU()/s.Threads))
	}
	return median, nil
}
