package engine

import (
	"os"
	"path/filepath"
	"slices"
	"time"

	"mindflow/models"
	"mindflow/pipeline"
	"mindflow/pipeline/field"
	"mindflow/pipeline/schedule"
)

// maxClassifiers is the largest number of classifiers that a server offers: each is in memory, and pages list them all.
const maxClassifiers = 16

// Settings configures which models run, and how.
type Settings struct {
	Models      string        // folder of the user's models
	Library     string        // ONNX Runtime's shared library
	Device      Device        // the device that networks run on
	Detector    string        // manifest entry
	Classifiers []string      // manifest entries, the default first
	Preset      string        // a name for LookupPreset; optional
	Threads     int           // of one inference; sessions run in parallel, so one thread is best for many
	Smoothing   time.Duration // see pipeline.Analysis
	MaxFaces    int           // see pipeline.Analysis
	MinFace     float64       // see pipeline.Analysis
	Policy      pipeline.AnalysisPolicy
	Batch       schedule.Batching // of crops; zero values mean defaults
	OpenCascade CascadeOpener     // optional
	LoadFast    bool              // also load fast classifiers for overload, where they gain enough
	// OnWarmUp is called during WarmUp before each size of batch, where the device compiles networks for each size,
	// which takes minutes. Optional.
	OnWarmUp func(network string, batch, maxBatch int)
	// OnFallback is called once for each network that moves from the device to the CPU, with the reason. Optional.
	OnFallback func(network, device string, why error)
}

// DefaultPolicy is the default of Settings.Policy. `go run ./bench economy` measures what it saves and costs.
var DefaultPolicy = pipeline.AnalysisPolicy{
	DetectEvery: 100 * time.Millisecond, ClassifyEvery: 100 * time.Millisecond, RestEvery: 300 * time.Millisecond,
	MinChange: 3, MinMargin: 0.1, MaxDefer: 300 * time.Millisecond,
}

// Default returns the default settings: the files beside the running binary, on the CPU.
func Default() Settings {
	return Settings{
		Models: userModels(), Library: ownLibrary(),
		Device:   Device{Name: "cpu", Precision: Auto, Engines: defaultEngines()},
		Detector: "blazeface-back", Classifiers: []string{"dan-ferplus"}, Threads: 1, Smoothing: 300 * time.Millisecond,
		MaxFaces: 16, Policy: DefaultPolicy,
	}
}

// userModels returns the default folder of models. It is empty where there is no home folder; then there are no added
// models.
func userModels() string {
	dir, err := models.UserFolder()
	if err != nil {
		return ""
	}
	return dir
}

// ownLibrary returns the default path of ONNX Runtime: that of "make gpu" where it exists.
func ownLibrary() string {
	const name = "libonnxruntime.so.1"
	if gpu := beside("lib", "gpu", name); exists(gpu) {
		return gpu
	}
	return beside("lib", name)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// beside returns the path of a file beside the running binary, so that it works from any folder.
func beside(parts ...string) string {
	exe, err := os.Executable()
	if err != nil {
		return filepath.Join(parts...) // then relative to the current folder, which an error will name
	}
	if target, err := filepath.EvalSymlinks(exe); err == nil {
		exe = target
	}
	return filepath.Join(append([]string{filepath.Dir(exe)}, parts...)...)
}

// Check returns a *field.Error for the first setting that is out of range.
func (s Settings) Check() error {
	switch {
	case s.Threads < 1 || s.Threads > 256:
		return field.Valuef("Threads", s.Threads, "use 1 to 256")
	case s.MaxFaces < 1 || s.MaxFaces > 256:
		return field.Valuef("MaxFaces", s.MaxFaces, "use 1 to 256")
	case s.Smoothing < 0 || s.Smoothing > time.Minute:
		return field.Valuef("Smoothing", s.Smoothing, "use 0s to 1m")
	case !(s.MinFace >= 0 && s.MinFace <= 1):
		return field.Valuef("MinFace", s.MinFace, "use 0 to 1, a fraction of the frame's longer side")
	case s.Policy.DetectEvery < 0 || s.Policy.DetectEvery > time.Minute:
		return field.Valuef("DetectEvery", s.Policy.DetectEvery, "use 0s to 1m")
	case s.Policy.ClassifyEvery < 0 || s.Policy.ClassifyEvery > time.Minute:
		return field.Valuef("ClassifyEvery", s.Policy.ClassifyEvery, "use 0s to 1m")
	case s.Policy.RestEvery < 0 || s.Policy.RestEvery > time.Minute:
		return field.Valuef("RestEvery", s.Policy.RestEvery, "use 0s to 1m")
	case s.Policy.MaxDefer < 0 || s.Policy.MaxDefer > time.Minute:
		return field.Valuef("MaxDefer", s.Policy.MaxDefer, "use 0s to 1m")
	case !(s.Policy.MinChange >= 0 && s.Policy.MinChange <= 255): // also refuses NaN
		return field.Valuef("MinChange", s.Policy.MinChange, "use 0 to 255 grey levels")
	case !(s.Policy.MinMargin >= 0 && s.Policy.MinMargin <= 1):
		return field.Valuef("MinMargin", s.Policy.MinMargin, "use 0 to 1, a probability")
	case s.Batch.MaxCrops < 0 || s.Batch.MaxCrops > 256:
		return field.Valuef("Batch", s.Batch.MaxCrops, "use 1 to 256, or 0 for what suits the device")
	case s.Batch.Wait < 0 || s.Batch.Wait > time.Second:
		return field.Valuef("BatchWait", s.Batch.Wait, "use 0s to 1s")
	case len(s.Classifiers) == 0:
		return field.Errorf("Classifiers", "name at least one")
	case len(s.Classifiers) > maxClassifiers:
		return field.Errorf("Classifiers", "%d are named, use at most %d", len(s.Classifiers), maxClassifiers)
	}
	for i, name := range s.Classifiers {
		if slices.Contains(s.Classifiers[:i], name) {
			return field.Valuef("Classifiers", name, "it is named twice")
		}
	}
	if err := s.Device.check(); err != nil {
		return err
	}
	_, err := LookupPreset(s.Preset)
	return err
}

// WithFirstClassifier returns the settings with the default classifier only, for commands that offer no choice.
func (s Settings) WithFirstClassifier() Settings {
	s.Classifiers = s.Classifiers[:min(1, len(s.Classifiers))]
	return s
}
