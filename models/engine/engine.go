// Package engine loads the manifest's models on ONNX Runtime. All streams of a process share one engine.
package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"runtime/debug"
	"sync"

	"mindflow/models"
	"mindflow/pipeline"
	"mindflow/pipeline/field"
	"mindflow/pipeline/ort"
	"mindflow/pipeline/schedule"
)

// Engine holds the loaded models.
type Engine struct {
	Analysis  pipeline.Analysis   // with the default classifier
	Analyses  []pipeline.Analysis // one for each classifier, the default first
	Scheduler *schedule.Scheduler
	Notes     []string // sentences on what the device could not be used for
	runtime   *ort.Runtime
	profile   profile
	inFlight  int // batches at once
	close     []func() error
}

// Open loads the models and runs each once. Its errors name the file or the setting, and the remedy.
func Open(s Settings) (e *Engine, err error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	e = &Engine{}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Close())
			e = nil
		}
	}()
	if _, err := os.Stat(s.Models); s.Models != userModels() && errors.Is(err, fs.ErrNotExist) {
		return e, field.Valuef("Models", s.Models, "there is no such folder; correct it")
	}
	manifest, err := models.Load(s.Models)
	if err != nil {
		return e, err
	}
	detect, detectFile, err := Find(manifest, s.Models, s.Detector, models.Detect)
	if err != nil {
		return e, err
	}
	classifiers, files, err := findAll(manifest, s.Models, s.Classifiers)
	if err != nil {
		return e, err
	}
	preset, err := LookupPreset(s.Preset)
	if err != nil {
		return e, err
	}
	loaded, err := ort.Open(s.Library)
	if err != nil {
		return e, err
	}
	e.runtime = loaded
	e.close = append(e.close, loaded.Close)
	if err := s.useDevice(loaded); err != nil {
		return e, err
	}
	e.profile = s.profileFor(loaded.Device().Provider)
	e.schedule(s)
	detector, err := e.openDetector(detect, detectFile, s)
	if err != nil {
		return e, s.explain(err)
	}
	e.close = append(e.close, detector.Close)
	common := pipeline.Analysis{Detector: detector, Smoothing: s.Smoothing, MaxFaces: s.MaxFaces, MinFace: s.MinFace,
		Policy: s.Policy}
	for i, entry := range classifiers {
		analysis, err := e.addClassifier(common, entry, preset.adapt(entry.Model), files[i], s)
		if err != nil {
			return e, err
		}
		e.Analyses = append(e.Analyses, analysis)
	}
	e.Analysis = e.Analyses[0]
	debug.FreeOSMemory() // rewritten graphs leave hundreds of megabytes of garbage
	return e, e.runOnce()
}

// addClassifier loads a classifier and returns a with it.
func (e *Engine) addClassifier(
	a pipeline.Analysis, entry models.Entry, m pipeline.Model, file string, s Settings,
) (pipeline.Analysis, error) {
	a.Model = m
	if s.Device.Precision == INT8 {
		small, err := e.openInt8(entry, m, file, s)
		if err != nil {
			return a, err
		}
		e.close, a.Classifier = append(e.close, small.Close), small
		return a, nil
	}
	from, rewritten, note, err := e.profile.classifier(entry, m, file, s.Device.Precision)
	if err != nil {
		return a, err
	}
	e.note(entry.Name, note)
	classifier, err := e.runtime.NewClassifierFrom(from, rewritten, e.profile.runOptions(s.Threads, e.profile.maxFaces))
	if err != nil {
		return a, s.explain(err)
	}
	e.close, a.Model, a.Classifier = append(e.close, classifier.Close), rewritten, classifier
	if !e.wantsFast(entry, s) {
		return a, nil
	}
	small, err := e.openInt8(entry, rewritten, file, s)
	if err != nil {
		return a, err
	}
	e.close, a.FastClassifier = append(e.close, small.Close), small
	return a, nil
}

// CascadeOpener loads a detector that is a cascade of Haar features. vision.OpenCascade is one; the caller passes it,
// so that a program without such detectors needs no OpenCV.
type CascadeOpener func(file string, m pipeline.Model) (pipeline.DetectorCloser, error)

func (e *Engine) openDetector(m models.Entry, file string, s Settings) (pipeline.DetectorCloser, error) {
	if m.Format == models.Cascade {
		if s.OpenCascade == nil {
			return nil, field.Valuef("Detector", m.Name, "this program cannot load cascades; name another detector")
		}
		return s.OpenCascade(file, m.Model)
	}
	from, model, frames, note := e.profile.detector(m.Model.ForMinFace(s.MinFace), file)
	e.note(m.Name, note)
	return e.runtime.NewDetectorFrom(from, model, e.profile.runOptions(s.Threads, frames))
}

// note records why a network could not be rewritten for the device.
func (e *Engine) note(network string, what error) {
	if what != nil {
		e.Notes = append(e.Notes, fmt.Sprintf("%s is not run as well as it might be: %v", network, what))
	}
}

// schedule creates the scheduler. On a device, streams hold their slots while they wait for the detector. They use no
// processor meanwhile, so there are as many more slots as fill the detector's batches.
func (e *Engine) schedule(s Settings) {
	workers, batch := max(1, runtime.NumCPU()/s.Threads), s.Batch
	e.inFlight = workers
	batch.MaxCrops, batch.InFlight = e.profile.maxFaces, e.profile.inFlight
	if batch.InFlight > 0 {
		e.inFlight = batch.InFlight
		workers += e.profile.maxFrames * batch.InFlight
	}
	e.Scheduler = schedule.New(workers, batch)
}

// runOnce runs each model once, so that the first face does not wait for memory to be allocated.
func (e *Engine) runOnce() error {
	ctx := context.Background()
	if err := e.detectOnce(ctx); err != nil {
		return err
	}
	for _, a := range e.Analyses {
		if err := classifyAll(ctx, a, []pipeline.Crop{a.Model.Input.NewCrop()}); err != nil {
			return err
		}
		if err := e.profile.checkFinite(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// detectOnce runs the detector on a blank picture.
func (e *Engine) detectOnce(ctx context.Context) error {
	const w, h = 64, 48
	blank := &pipeline.Frame{Width: w, Height: h, YStride: w, CStride: w / 2,
		Y: make([]byte, w*h), U: make([]byte, w*h/4), V: make([]byte, w*h/4)}
	if _, err := e.Analysis.Detector.Detect(ctx, nil, blank); err != nil {
		return fmt.Errorf("warm up the detector: %w", err)
	}
	return nil
}

// classifyAll runs the classifiers of an analysis.
func classifyAll(ctx context.Context, a pipeline.Analysis, crops []pipeline.Crop) error {
	for _, c := range []pipeline.Classifier{a.Classifier, a.FastClassifier} {
		if c == nil {
			continue
		}
		if _, err := c.Classify(ctx, nil, crops); err != nil {
			return fmt.Errorf("warm up the classifier %s: %w", a.Model.Name, err)
		}
	}
	return nil
}

// WarmUp runs batches of each size, as many at once as may be in flight, so that their memory is allocated before the
// first session and does not grow later. A device also compiles its networks for each size.
func (e *Engine) WarmUp(s Settings) error {
	if warm, ok := e.Analysis.Detector.(interface{ Warm(func(int)) error }); ok {
		err := warm.Warm(func(batch int) { e.warmingUp(s, s.Detector, batch, e.profile.maxFrames) })
		if err != nil {
			return fmt.Errorf("warm up the detector: %w", err)
		}
	}
	errs := make([]error, e.inFlight)
	var work sync.WaitGroup
	for i := range errs {
		work.Add(1)
		go func() {
			defer work.Done()
			errs[i] = e.warmBatches(func(network string, batch int) {
				if i == 0 {
					e.warmingUp(s, network, batch, e.profile.maxFaces)
				}
			})
		}()
	}
	work.Wait()
	return errors.Join(errs...)
}

// warmingUp calls OnWarmUp if the device compiles networks for each batch size.
func (e *Engine) warmingUp(s Settings, network string, batch, maxBatch int) {
	if e.profile.fixedSizes && s.OnWarmUp != nil {
		s.OnWarmUp(network, batch, maxBatch)
	}
}

// warmBatches runs each classifier with each batch size, and calls progress before each run.
func (e *Engine) warmBatches(progress func(network string, batch int)) error {
	if err := e.detectOnce(context.Background()); err != nil {
		return err
	}
	for _, a := range e.Analyses {
		var crops []pipeline.Crop
		for _, size := range e.profile.runOptions(1, e.profile.maxFaces).Sizes() {
			progress(a.Model.Name, size)
			for len(crops) < size {
				crops = append(crops, a.Model.Input.NewCrop())
			}
			if err := classifyAll(context.Background(), a, crops); err != nil {
				return err
			}
		}
	}
	return nil
}

// NewAnalyzer returns an analyzer for one stream, with the default classifier.
func (e *Engine) NewAnalyzer() *pipeline.Analyzer { return pipeline.NewAnalyzer(e.Analysis) }

// Degraded returns the networks that moved from the device to the CPU: reasons for operators, by network name.
func (e *Engine) Degraded() map[string]string { return e.runtime.Degraded() }

// Device returns the name of the device that networks run on, such as cuda:1.
func (e *Engine) Device() string { return e.runtime.Device().String() }

// InFlight returns the number of batches that run at once.
func (e *Engine) InFlight() int { return e.inFlight }

// Close frees what was loaded, in reverse order.
func (e *Engine) Close() error {
	var err error
	for i := len(e.close) - 1; i >= 0; i-- {
		err = errors.Join(err, e.close[i]())
	}
	e.close = nil
	return err
}
