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

// maxClassifiers bounds what a server offers: each is held in memory, and pages are told of all.
const maxClassifiers = 16

// Settings say which models run and how.
type Settings struct {
	Models      string        // folder of the user's models
	Library     string        // ONNX Runtime's shared library
	Device      Device        // that networks run on
	Detector    string        // manifest entry
	Classifiers []string      // manifest entries, the default first
	Preset      string        // "", or what LookupPreset knows: how the classifiers are fed
	Threads     int           // of one inference; sessions run in parallel, so one is best for many
	Smoothing   time.Duration // time constant of the shown scores
	MaxFaces    int           // analysed in a frame
	MinFace     float64       // longer side of the smallest face asked for, in the frame's; 0 is any
	Policy      pipeline.AnalysisPolicy
	Batch       schedule.Batching // of crops; zero values are defaults
	OpenCascade CascadeOpener     // optional
	Many        bool              // streams share the engine, so that what is faster when it is full is loaded too
	// Warming hears how far the networks' warm-up is, which takes minutes on a device that compiles them for each
	// size of batch. None.
	Warming func(network string, batch, most int)
	// Fell hears once of each network that left the device for the CPU, and why. None.
	Fell func(network, device string, why error)
}

// DefaultPolicy is the default of Settings.Policy. bench/economy measures what it saves and costs.
var DefaultPolicy = pipeline.AnalysisPolicy{
	DetectEvery: 100 * time.Millisecond, ClassifyEvery: 100 * time.Millisecond, RestEvery: 300 * time.Millisecond,
	MinChange: 3, MinMargin: 0.1, MaxDefer: 300 * time.Millisecond,
}

// Default returns the settings as they are shipped: the files beside the running binary, on the CPU.
func Default() Settings {
	return Settings{
		Models: userModels(), Library: ownLibrary(),
		Device:   Device{Name: "cpu", Precision: Auto, Engines: defaultEngines()},
		Detector: "blazeface-back", Classifiers: []string{"dan-ferplus"}, Threads: 1, Smoothing: 300 * time.Millisecond,
		MaxFaces: 16, Policy: DefaultPolicy,
	}
}

// userModels is the default folder of models. Without a home it is empty, which adds no models.
func userModels() string {
	dir, err := models.UserFolder()
	if err != nil {
		return ""
	}
	return dir
}

// ownLibrary is the default path of ONNX Runtime: that of "make gpu" where it was made.
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

// Check returns a *field.Error of the first setting that is out of its range.
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
	case !(s.Policy.MinChange >= 0 && s.Policy.MinChange <= 255): // also what is not a number
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

// Alone are the settings with the default classifier alone, for those who do not choose.
func (s Settings) Alone() Settings {
	s.Classifiers = s.Classifiers[:min(1, len(s.Classifiers))]
	return s
}
