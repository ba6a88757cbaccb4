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
	"sync"

	"mindflow/models"
	"mindflow/pipeline"
	"mindflow/pipeline/ort"
	"mindflow/pipeline/vision"
)

// Engine holds the loaded models.
type Engine struct {
	Analysis  pipeline.Analysis   // with the default classifier
	Analyses  []pipeline.Analysis // one a classifier, the default first
	Scheduler *pipeline.Scheduler
	close     []func() error
}

// Open loads and warms the models. Errors name the file or setting and the cure.
func Open(s Settings) (e *Engine, err error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	e = &Engine{Scheduler: pipeline.NewScheduler(max(1, runtime.NumCPU()/s.Threads), s.Batch)}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Close())
			e = nil
		}
	}()
	if _, err := os.Stat(s.Models); s.Models != userModels() && errors.Is(err, fs.ErrNotExist) {
		return e, fmt.Errorf("--models %s: there is no such folder; correct it", s.Models)
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
	e.close = append(e.close, loaded.Close)
	detector, err := openDetector(loaded, detect, detectFile, s)
	if err != nil {
		return e, err
	}
	e.close = append(e.close, detector.Close)
	for i, entry := range classifiers {
		model := preset.feed(entry.Model)
		classifier, err := loaded.NewClassifier(files[i], model, s.Threads, s.Batch.Most)
		if err != nil {
			return e, err
		}
		e.close = append(e.close, classifier.Close)
		e.Analyses = append(e.Analyses, pipeline.Analysis{
			Detector: detector, Classifier: classifier, Model: model,
			Smoothing: s.Smoothing, MaxFaces: s.MaxFaces, MinFace: s.MinFace, Economy: s.Economy,
		})
	}
	e.Analysis = e.Analyses[0]
	return e, e.warm()
}

// detector is a pipeline.Detector that holds C memory.
type detector interface {
	pipeline.Detector
	Close() error
}

func openDetector(loaded *ort.Runtime, m models.Entry, file string, s Settings) (detector, error) {
	if m.Format == models.Cascade {
		return vision.OpenCascade(file, m.Model)
	}
	return loaded.NewDetector(file, m.Model.ForFaces(s.MinFace), s.Threads)
}

// warm runs the models once, so that the first face does not wait for their memory to be laid out.
func (e *Engine) warm() error {
	const w, h = 64, 48
	blank := &pipeline.Frame{Width: w, Height: h, YStride: w, CStride: w / 2,
		Y: make([]byte, w*h), U: make([]byte, w*h/4), V: make([]byte, w*h/4)}
	ctx := context.Background()
	if _, err := e.Analysis.Detector.Detect(ctx, nil, blank); err != nil {
		return fmt.Errorf("warm up the detector: %w", err)
	}
	for _, a := range e.Analyses {
		crop := make(pipeline.Crop, a.Model.Input.Len())
		if _, err := a.Classifier.Classify(ctx, nil, []pipeline.Crop{crop}); err != nil {
			return fmt.Errorf("warm up the classifier %s: %w", a.Model.Name, err)
		}
	}
	return nil
}

// Fill runs batches of each size on all processors at once, so that the memory for them is there before the first
// session is, and does not come with a later one.
func (e *Engine) Fill(s Settings) error {
	errs := make([]error, max(1, runtime.NumCPU()/s.Threads))
	var work sync.WaitGroup
	for i := range errs {
		work.Add(1)
		go func() {
			defer work.Done()
			errs[i] = e.fillOne(max(s.Batch.Most, 1))
		}()
	}
	work.Wait()
	return errors.Join(errs...)
}

func (e *Engine) fillOne(most int) error {
	for _, a := range e.Analyses {
		var crops []pipeline.Crop
		for range most {
			crops = append(crops, make(pipeline.Crop, a.Model.Input.Len()))
			if _, err := a.Classifier.Classify(context.Background(), nil, crops); err != nil {
				return fmt.Errorf("warm up the classifier %s: %w", a.Model.Name, err)
			}
		}
	}
	return nil
}

// NewAnalyzer starts the analysis of one stream.
func (e *Engine) NewAnalyzer() *pipeline.Analyzer { return pipeline.NewAnalyzer(e.Analysis) }

// Close frees what was loaded, last first.
func (e *Engine) Close() error {
	var err error
	for i := len(e.close) - 1; i >= 0; i-- {
		err = errors.Join(err, e.close[i]())
	}
	e.close = nil
	return err
}
