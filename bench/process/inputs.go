package process

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"mindflow/models/engine"
	"mindflow/pipeline/testkit"
	"mindflow/pipeline/vision"
)

// Inputs are the files that most measurements take.
type Inputs struct {
	Binary string // the program mindflow
	Clip   string // a video with a face
}

// AddFlags adds -binary and -clip. Their defaults are what `make build` makes and the clip of the test media.
func (in *Inputs) AddFlags(flags *flag.FlagSet) {
	AddBinaryFlag(flags, &in.Binary)
	dir, _ := testkit.MediaDir()
	flags.StringVar(&in.Clip, "clip", filepath.Join(dir, "woman-distress-to-laugh.mp4"), "video `file` with a face")
}

// AddBinaryFlag adds -binary for a measurement that takes no clip.
func AddBinaryFlag(flags *flag.FlagSet, binary *string) {
	flags.StringVar(binary, "binary", filepath.Join(testkit.Root(), "bin", "mindflow"), "mindflow, a `file`")
}

// CheckClip reports a missing clip before a server is started for it.
func (in *Inputs) CheckClip() error {
	if _, err := os.Stat(in.Clip); err != nil {
		return fmt.Errorf("%w; name a video of a face with -clip", err)
	}
	return nil
}

// AddEngineFlags adds -models, -ort-lib and -threads for a measurement that loads the models itself. It returns the
// shipped settings, with the files that `make build` makes.
func AddEngineFlags(flags *flag.FlagSet) *engine.Settings {
	settings := engine.Default()
	settings.OpenCascade = vision.OpenCascade
	bin := filepath.Join(testkit.Root(), "bin")
	flags.StringVar(&settings.Models, "models", filepath.Join(bin, "models"), "`folder` of the models")
	flags.StringVar(&settings.Library, "ort-lib", filepath.Join(bin, "lib", "libonnxruntime.so.1"),
		"ONNX Runtime's shared library, a `file`")
	flags.IntVar(&settings.Threads, "threads", settings.Threads, "CPU threads of one inference")
	return &settings
}

// OwnCPU returns the processor time that this process has used on all processors, in the kernel too.
func OwnCPU() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0 // it fails for faulty arguments only
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
