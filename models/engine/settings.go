package engine

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"mindflow/models"
	"mindflow/pipeline"
	"mindflow/pipeline/schedule"
)

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
	Many        bool              // streams share the engine, so that what is faster when it is full is loaded too
	// Warming hears how far the networks' warm-up is, which takes minutes on a device that compiles them for each size of batch. None.
	Warming func(network string, batch, most int)
	// Fell hears once of each network that left the device for the CPU, and why. None.
	Fell func(network, device string, why error)
}

// DefaultPolicy is the default of Settings.Policy. bench/economy measures what it saves and costs.
var DefaultPolicy = pipeline.AnalysisPolicy{
	DetectEvery: 100 * time.Millisecond, ClassifyEvery: 100 * time.Millisecond, RestEvery: 300 * time.Millisecond,
	MinChange: 3, MinMargin: 0.1, MaxDefer: 300 * time.Millisecond,
}

// Flags declares the settings on flags, with defaults beside the running binary.
func Flags(flags *flag.FlagSet) *Settings {
	s := PathFlags(flags)
	s.Fell = func(network, device string, why error) {
		fmt.Fprintf(os.Stderr, "%s goes on on the CPU, as %s failed: %v\n", network, device, why)
	}
	flags.StringVar(&s.Detector, "detector", "blazeface-back", "face detector, a `name` in the manifest")
	s.Classifiers = []string{"dan-ferplus"}
	flags.Var(&names{list: &s.Classifiers}, "model", "expression classifier, a `name` in the manifest; several to choose from: repeat or use commas, the default first (only serve offers several, all others take that)")
	flags.StringVar(&s.Preset, "preset", "", "`name` of a known way to analyse, which sets what is not set otherwise: notebook (as the original: Haar, box grown by 60 pixels, 224 pixels in colour, no smoothing)")
	s.Device.declare(flags)
	flags.IntVar(&s.Threads, "threads", 1, "CPU threads of one inference")
	flags.DurationVar(&s.Smoothing, "smoothing", 300*time.Millisecond, "time constant of the shown scores, 0 for none")
	flags.IntVar(&s.MaxFaces, "max-faces", 16, "faces analysed in a frame, surest first")
	flags.Float64Var(&s.MinFace, "min-face", 0, "longer side of the smallest face asked for, as a `fraction` of the frame's; 0 is any. yunet then works on a smaller picture")
	p := &s.Policy
	flags.DurationVar(&p.DetectEvery, "detect-every", DefaultPolicy.DetectEvery, "time between two detections while the known faces can be followed without; with --rest-every 0s too, 0s detects in every frame")
	flags.DurationVar(&p.ClassifyEvery, "classify-every", DefaultPolicy.ClassifyEvery, "time between two classifications of a face that changes; with --rest-every 0s too, 0s classifies every face of every frame")
	flags.DurationVar(&p.RestEvery, "rest-every", DefaultPolicy.RestEvery, "the same for faces that neither move nor change; 0s treats all alike")
	flags.DurationVar(&p.MaxDefer, "put-off", DefaultPolicy.MaxDefer, "longest time that faces are only followed, with the scores they have, while a turn of a full machine is waited for; 0s never")
	flags.Float64Var(&p.MinChange, "change", DefaultPolicy.MinChange, "mean difference of a face's picture, in grey `levels` of 255, from which it has changed")
	flags.Float64Var(&p.MinMargin, "doubt", DefaultPolicy.MinMargin, "a face is classified in every frame while a smaller change of its smoothed `probabilities` than this would show something else; 0 only before that")
	flags.IntVar(&s.Batch.MaxCrops, "batch", 0, "faces of all sessions that are classified at once at most; 0 is what suits the device: 8 on the CPU, 64 on CUDA and TensorRT, else 32")
	flags.DurationVar(&s.Batch.Wait, "batch-wait", 0, "time that a batch waits to fill; 0 waits only while all processors are busy")
	return s
}

// GaugeFlags declares those that say what a network runs on, but for the batch and the precision, of which a measurement takes several.
func GaugeFlags(flags *flag.FlagSet) *Settings {
	s := PathFlags(flags)
	s.MaxFaces, s.Classifiers = 16, []string{"dan-ferplus"}
	flags.StringVar(&s.Detector, "detector", "blazeface-back", "face detector, a `name` in the manifest")
	flags.Var(&names{list: &s.Classifiers}, "model", "expression classifier, a `name` in the manifest")
	flags.IntVar(&s.Threads, "threads", 1, "CPU threads of one inference")
	s.Device.declareDevice(flags)
	return s
}

// PathFlags declares those of the settings that say where files are.
func PathFlags(flags *flag.FlagSet) *Settings {
	s := &Settings{}
	flags.StringVar(&s.Models, "models", userModels(), "`folder` of the models that you added; shipped ones may lie there or beside the program")
	flags.StringVar(&s.Library, "ort-lib", ownLibrary(), "ONNX Runtime's shared library, a `file`; that of make gpu where it was made")
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

// ownLibrary is the default of --ort-lib.
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

// Check says which setting is out of its range.
func (s Settings) Check() error {
	switch {
	case s.Threads < 1 || s.Threads > 256:
		return fmt.Errorf("--threads %d: use 1 to 256", s.Threads)
	case s.MaxFaces < 1 || s.MaxFaces > 256:
		return fmt.Errorf("--max-faces %d: use 1 to 256", s.MaxFaces)
	case s.Smoothing < 0 || s.Smoothing > time.Minute:
		return fmt.Errorf("--smoothing %v: use 0s to 1m", s.Smoothing)
	case !(s.MinFace >= 0 && s.MinFace <= 1):
		return fmt.Errorf("--min-face %v: use 0 to 1, a fraction of the frame's longer side", s.MinFace)
	case s.Policy.DetectEvery < 0 || s.Policy.DetectEvery > time.Minute:
		return fmt.Errorf("--detect-every %v: use 0s to 1m", s.Policy.DetectEvery)
	case s.Policy.ClassifyEvery < 0 || s.Policy.ClassifyEvery > time.Minute:
		return fmt.Errorf("--classify-every %v: use 0s to 1m", s.Policy.ClassifyEvery)
	case s.Policy.RestEvery < 0 || s.Policy.RestEvery > time.Minute:
		return fmt.Errorf("--rest-every %v: use 0s to 1m", s.Policy.RestEvery)
	case s.Policy.MaxDefer < 0 || s.Policy.MaxDefer > time.Minute:
		return fmt.Errorf("--put-off %v: use 0s to 1m", s.Policy.MaxDefer)
	case !(s.Policy.MinChange >= 0 && s.Policy.MinChange <= 255): // also what is not a number
		return fmt.Errorf("--change %v: use 0 to 255 grey levels", s.Policy.MinChange)
	case !(s.Policy.MinMargin >= 0 && s.Policy.MinMargin <= 1):
		return fmt.Errorf("--doubt %v: use 0 to 1, a probability", s.Policy.MinMargin)
	case s.Batch.MaxCrops < 0 || s.Batch.MaxCrops > 256:
		return fmt.Errorf("--batch %d: use 1 to 256, or 0 for what suits the device", s.Batch.MaxCrops)
	case s.Batch.Wait < 0 || s.Batch.Wait > time.Second:
		return fmt.Errorf("--batch-wait %v: use 0s to 1s", s.Batch.Wait)
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
