// Package engine puts the pieces together: the manifest's models on ONNX Runtime, shared by all who
// analyse frames in this process.
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
	Analyses  []pipeline.Analysis // one a classifier, the default first
	Scheduler *schedule.Scheduler
	Notes     []string // what could not be done as well as it might
	runtime   *ort.Runtime
	form      form
	inFlight  int // batches at once
	close     []func() error
}

// Open loads and warms the models. Errors name the file or setting and the cure.
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
	if err := s.use(loaded); err != nil {
		return e, err
	}
	e.form = s.form(loaded.Device().Provider)
	e.schedule(s)
	detector, err := e.openDetector(detect, detectFile, s)
	if err != nil {
		return e, s.explain(err)
	}
	e.close = append(e.close, detector.Close)
	how := pipeline.Analysis{Detector: detector, Smoothing: s.Smoothing, MaxFaces: s.MaxFaces, MinFace: s.MinFace,
		Policy: s.Policy}
	for i, entry := range classifiers {
		how, err := e.classify(how, entry, preset.feed(entry.Model), files[i], s)
		if err != nil {
			return e, err
		}
		e.Analyses = append(e.Analyses, how)
	}
	e.Analysis = e.Analyses[0]
	debug.FreeOSMemory() // rewritten graphs are garbage of hundreds of megabytes
	return e, e.warm()
}

// classify loads a classifier and completes how by it.
func (e *Engine) classify(how pipeline.Analysis, entry models.Entry, fed pipeline.Model, file string,
	s Settings) (pipeline.Analysis, error) {
	how.Model = fed
	if s.Device.Precision == INT8 {
		small, err := e.openIntegers(entry, fed, file, s)
		if err != nil {
			return how, err
		}
		e.close, how.Classifier = append(e.close, small.Close), small
		return how, nil
	}
	from, model, note, err := e.form.classifier(entry, fed, file, s.Device.Precision)
	if err != nil {
		return how, err
	}
	e.note(entry.Name, note)
	classifier, err := e.runtime.NewClassifierFrom(from, model, e.form.running(s.Threads, e.form.faces))
	if err != nil {
		return how, s.explain(err)
	}
	e.close, how.Model, how.Classifier = append(e.close, classifier.Close), model, classifier
	if !e.hurries(entry, s) {
		return how, nil
	}
	small, err := e.openIntegers(entry, model, file, s)
	if err != nil {
		return how, err
	}
	e.close, how.FastClassifier = append(e.close, small.Close), small
	return how, nil
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
	from, model, frames, note := e.form.detector(m.Model.ForMinFace(s.MinFace), file)
	e.note(m.Name, note)
	return e.runtime.NewDetectorFrom(from, model, e.form.running(s.Threads, frames))
}

// note keeps what the device could not be used for.
func (e *Engine) note(network string, what error) {
	if what != nil {
		e.Notes = append(e.Notes, fmt.Sprintf("%s is not run as well as it might be: %v", network, what))
	}
}

// schedule shares the machine. Those who wait for a device's detector hold a turn each, so that there are as many
// more as fill its batches; the device's work takes no processor.
func (e *Engine) schedule(s Settings) {
	turns, batch := max(1, runtime.NumCPU()/s.Threads), s.Batch
	e.inFlight = turns
	batch.MaxCrops, batch.InFlight = e.form.faces, e.form.slots
	if batch.InFlight > 0 {
		e.inFlight = batch.InFlight
		turns += e.form.frames * batch.InFlight
	}
	e.Scheduler = schedule.New(turns, batch)
}

// warm runs the models once, so that the first face does not wait for their memory to be laid out.
func (e *Engine) warm() error {
	ctx := context.Background()
	if err := e.detectOnce(ctx); err != nil {
		return err
	}
	for _, a := range e.Analyses {
		if err := classifyAll(ctx, a, []pipeline.Crop{a.Model.Input.NewCrop()}); err != nil {
			return err
		}
		if err := e.form.finite(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// detectOnce runs the detector on an empty picture.
func (e *Engine) detectOnce(ctx context.Context) error {
	const w, h = 64, 48
	blank := &pipeline.Frame{Width: w, Height: h, YStride: w, CStride: w / 2,
		Y: make([]byte, w*h), U: make([]byte, w*h/4), V: make([]byte, w*h/4)}
	if _, err := e.Analysis.Detector.Detect(ctx, nil, blank); err != nil {
		return fmt.Errorf("warm up the detector: %w", err)
	}
	return nil
}

// classifyAll runs an analysis' classifiers.
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

// Fill runs batches of each size as often at once as they may be, so that the memory for them is there before the first
// session is, and does not come with a later one; a device also compiles its networks for each.
func (e *Engine) Fill(s Settings) error {
	if warm, ok := e.Analysis.Detector.(interface{ Warm(func(int)) error }); ok {
		err := warm.Warm(func(batch int) { e.tell(s, s.Detector, batch, e.form.frames) })
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
			errs[i] = e.fillOne(func(network string, batch int) {
				if i == 0 {
					e.tell(s, network, batch, e.form.faces)
				}
			})
		}()
	}
	work.Wait()
	return errors.Join(errs...)
}

// tell says what is prepared next, where that takes its time.
func (e *Engine) tell(s Settings, network string, batch, most int) {
	if e.form.fixed && s.Warming != nil {
		s.Warming(network, batch, most)
	}
}

func (e *Engine) fillOne(tell func(network string, batch int)) error {
	if err := e.detectOnce(context.Background()); err != nil {
		return err
	}
	for _, a := range e.Analyses {
		var crops []pipeline.Crop
		for _, size := range e.form.running(1, e.form.faces).Sizes() {
			tell(a.Model.Name, size)
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

// NewAnalyzer starts the analysis of one stream.
func (e *Engine) NewAnalyzer() *pipeline.Analyzer { return pipeline.NewAnalyzer(e.Analysis) }

// Degraded tells which networks left the device for the CPU: by name, in words that anybody may read.
func (e *Engine) Degraded() map[string]string { return e.runtime.Degraded() }

// Device is what networks run on, such as cuda:1.
func (e *Engine) Device() string { return e.runtime.Device().String() }

// InFlight is how many batches run at once.
func (e *Engine) InFlight() int { return e.inFlight }

// Close frees what was loaded, last first.
func (e *Engine) Close() error {
	var err error
	for i := len(e.close) - 1; i >= 0; i-- {
		err = errors.Join(err, e.close[i]())
	}
	e.close = nil
	return err
}
