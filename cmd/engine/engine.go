// Package engine puts the pieces together: the manifest's models on ONNX Runtime, shared by all who
// analyse frames in this process.
package engine

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"mindflow/models"
	"mindflow/pipeline"
	"mindflow/pipeline/ort"
	"mindflow/pipeline/vision"
)

// Settings say which models run and how.
type Settings struct {
	Models      string        // folder of the user's models
	Library     string        // ONNX Runtime's shared library
	Detector    string        // manifest entry
	Classifiers []string      // manifest entries, the default first
	Preset      string        // "", or what LookupPreset knows: how the classifiers are fed
	Threads     int           // of one inference; sessions run in parallel, so one is best for many
	Smoothing   time.Duration // time constant of the shown scores
	MaxFaces    int           // analysed in a frame
}

// Flags declares the settings on flags, with defaults beside the running binary.
func Flags(flags *flag.FlagSet) *Settings {
	s := PathFlags(flags)
	flags.StringVar(&s.Detector, "detector", "blazeface-back", "face detector, a `name` in the manifest")
	s.Classifiers = []string{"dan-ferplus"}
	flags.Var(&names{list: &s.Classifiers}, "model", "expression classifier, a `name` in the manifest; several to choose from: repeat or use commas, the default first (image and video take that)")
	flags.StringVar(&s.Preset, "preset", "", "`name` of a known way to analyse, which sets what is not set otherwise: notebook (as the original: Haar, box grown by 60 pixels, 224 pixels in colour, no smoothing)")
	flags.IntVar(&s.Threads, "threads", 1, "CPU threads of one inference")
	flags.DurationVar(&s.Smoothing, "smoothing", 300*time.Millisecond, "time constant of the shown scores, 0 for none")
	flags.IntVar(&s.MaxFaces, "max-faces", 16, "faces analysed in a frame, surest first")
	return s
}

// PathFlags declares those of the settings that say where files are.
func PathFlags(flags *flag.FlagSet) *Settings {
	s := &Settings{}
	flags.StringVar(&s.Models, "models", userModels(), "`folder` of the models that you added; shipped ones may lie there or beside the program")
	flags.StringVar(&s.Library, "ort-lib", beside("lib", "libonnxruntime.so.1"), "ONNX Runtime's shared library, a `file`")
	return s
}

// userModels is the default of --models. Without a home it is empty, which adds no models.
func userModels() string {
	dir, err := models.UserFolder()
	if err != nil {
		return ""
	}
	return dir
}

// beside names a file next to the running binary, so that it works from any folder.
func beside(parts ...string) string {
	exe, err := os.Executable()
	if err != nil {
		return filepath.Join(parts...) // then relative to the current folder, which the error will name
	}
	if real, err := filepath.EvalSymlinks(exe); err == nil {
		exe = real
	}
	return filepath.Join(append([]string{filepath.Dir(exe)}, parts...)...)
}

// Check says which setting is out of its range.
func (s Settings) Check() error {
	switch {
	case s.Threads < 1 || s.Threads > 256:
		return fmt.Errorf("--threads %d: use 1 to 256", s.Threads)
	case s.MaxFaces < 1 || s.MaxFaces > 256:
		return fmt.Errorf("--max-faces %d: use 1 to 256", s.MaxFaces)
	case s.Smoothing < 0 || s.Smoothing > time.Minute:
		return fmt.Errorf("--smoothing %v: use 0s to 1m", s.Smoothing)
	case len(s.Classifiers) == 0:
		return errors.New("--model: name at least one")
	case len(s.Classifiers) > maxClassifiers:
		return fmt.Errorf("--model: %d are named, use at most %d", len(s.Classifiers), maxClassifiers)
	}
	for i, name := range s.Classifiers {
		if slices.Contains(s.Classifiers[:i], name) {
			return fmt.Errorf("--model %s: it is named twice", name)
		}
	}
	_, err := LookupPreset(s.Preset)
	return err
}

// Alone are the settings with the default classifier alone, for those who do not choose.
func (s Settings) Alone() Settings {
	s.Classifiers = s.Classifiers[:min(1, len(s.Classifiers))]
	return s
}

// Engine holds the loaded models.
type Engine struct {
	Analysis pipeline.Analysis   // with the default classifier
	Analyses []pipeline.Analysis // one a classifier, the default first
	Turns    *pipeline.Turns
	close    []func() error
}

// Open loads and warms the models. Errors name the file or setting and the cure.
func Open(s Settings) (e *Engine, err error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	e = &Engine{Turns: pipeline.NewTurns(max(1, runtime.NumCPU()/s.Threads))}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Close())
			e = nil
		}
	}()
	manifest, err := models.Load(s.Models)
	if err != nil {
		return e, err
	}
	detect, detectFile, err := Find(manifest, s.Models, s.Detector, models.Detect)
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
	detector, err := openDetector(loaded, detect, detectFile, s.Threads)
	if err != nil {
		return e, err
	}
	e.close = append(e.close, detector.Close)
	for _, name := range s.Classifiers {
		classify, file, err := Find(manifest, s.Models, name, models.Classify)
		if err != nil {
			return e, err
		}
		classify.Model = preset.feed(classify.Model)
		classifier, err := loaded.NewClassifier(file, classify.Model, s.Threads)
		if err != nil {
			return e, err
		}
		e.close = append(e.close, classifier.Close)
		e.Analyses = append(e.Analyses, pipeline.Analysis{
			Detector: detector, Classifier: classifier, Model: classify.Model,
			Smoothing: s.Smoothing, MaxFaces: s.MaxFaces,
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

func openDetector(loaded *ort.Runtime, m models.Entry, file string, threads int) (detector, error) {
	if m.Format == models.Cascade {
		return vision.OpenCascade(file, m.Model)
	}
	return loaded.NewDetector(file, m.Model, threads)
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

// Find gives the entry of that name, which must have the role, and its file, whose sum is right: in dir
// or, if dir has none of that name, beside the program.
func Find(manifest *models.Manifest, dir, name, role string) (models.Entry, string, error) {
	entry, err := manifest.Lookup(name)
	if err != nil {
		return entry, "", err
	}
	if entry.Role != role {
		return entry, "", fmt.Errorf("model %s is there to %s; name one that can %s", name, entry.Role, role)
	}
	if path := Locate(dir, entry); path != "" {
		dir = filepath.Dir(path)
	}
	file, err := models.Verify(dir, entry)
	return entry, file, err
}

// Locate gives the path of the entry's file: in dir, beside the program or where a package of the system
// puts it. It is "" when none has it.
func Locate(dir string, e models.Entry) string {
	for _, folder := range []string{dir, beside("models"), e.Folder} {
		if folder == "" {
			continue
		}
		path := filepath.Join(folder, e.File)
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			return path
		}
	}
	return ""
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
