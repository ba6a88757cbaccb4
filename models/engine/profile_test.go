package engine

import (
	"bytes"
	"errors"
	"fmt"
	"image/png"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mindflow/models"
	"mindflow/models/evaluate/dataset"
	"mindflow/pipeline"
	"mindflow/pipeline/ort"
	"mindflow/pipeline/schedule"
	"mindflow/pipeline/testkit"
)

// gpu is a GPU's profile, for the CPU.
func gpu() profile {
	f := profileFor(ort.CUDA)
	f.provider = ort.CPU
	return f
}

// shared returns the folder of development files.
func shared() string {
	media := os.Getenv("MINDFLOW_TESTDATA")
	if media == "" {
		media = "../../../shared/media"
	}
	return filepath.Join(media, "..")
}

// entryOf returns a shipped entry and its file where "make build" puts it, or in the folder of development files.
func entryOf(t *testing.T, name string) (models.Entry, string) {
	t.Helper()
	manifest, err := models.Default()
	if err != nil {
		t.Fatal(err)
	}
	e, err := manifest.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("..", "..", "bin", "models", e.File)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		path = filepath.Join(shared(), "models", e.File)
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		t.Skipf(`%s is not there; run "make build"`, e.File)
	}
	return e, path
}

// valid returns every n-th picture of FER+ Valid that has a majority, as frames, and their labels.
func valid(t *testing.T, labels []string, n int) (frames []*pipeline.Frame, truth []string) {
	t.Helper()
	archive := filepath.Join(shared(), "data", "ferplus-train-valid.tar.gz")
	if _, err := os.Stat(archive); errors.Is(err, fs.ErrNotExist) {
		t.Skipf("%s is not there; name the folder of test media in MINDFLOW_TESTDATA", archive)
	}
	dir := t.TempDir()
	if said, err := exec.Command("tar", "-xzf", archive, "-C", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	pictures, _, err := dataset.Read(dir, dataset.Options{Labels: labels, Rule: dataset.Majority, Split: "Valid"})
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(pictures); i += n {
		data, err := pictures[i].Read()
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		size := img.Bounds().Size()
		f := &pipeline.Frame{Width: size.X, Height: size.Y, YStride: size.X, CStride: (size.X + 1) / 2, FullRange: true}
		for y := range size.Y {
			for x := range size.X {
				grey, _, _, _ := img.At(x, y).RGBA()
				f.Y = append(f.Y, byte(grey>>8))
			}
		}
		f.U = bytes.Repeat([]byte{128}, f.CStride*(size.Y+1)/2)
		f.V = f.U
		frames, truth = append(frames, f), append(truth, pictures[i].Class)
	}
	return frames, truth
}

// Half precision, bytes, and both in padded batches, give the labels of float32 except for a few faces in doubt.
func TestProfilesKeepLabels(t *testing.T) {
	if testing.Short() {
		t.Skip("reads a few hundred pictures")
	}
	e, path := entryOf(t, "dan-ferplus")
	frames, truth := valid(t, e.Labels, 16)
	rt, err := ort.Open(settings(t, t.TempDir()).Library)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := rt.Close(); err != nil {
			t.Error(err)
		}
	}()
	half, bytes, both := profileFor(ort.CPU), profileFor(ort.CPU), gpu()
	half.half, bytes.bytes = true, true
	var exact []string
	for _, c := range []struct {
		name    string
		profile profile
		same    float64
	}{{"float32", profileFor(ort.CPU), 1}, {"half precision", half, 0.99}, {"bytes", bytes, 0.98},
		{"both", both, 0.98}} {
		said := label(t, rt, c.profile, e, path, frames)
		if exact == nil {
			exact = said
		}
		same, right := testkit.EqualShare(said, exact), testkit.EqualShare(said, truth)
		t.Logf("%-14s the same label on %.2f %% of %d faces, right on %.2f %%", c.name, 100*same, len(said), 100*right)
		if same < c.same || right < testkit.EqualShare(exact, truth)-0.01 {
			t.Errorf("%s: %.3f the same, %.3f right", c.name, same, right)
		}
	}
}

// label returns the labels that the classifier with that profile gives faces that fill their frames.
func label(t *testing.T, rt *ort.Runtime, p profile, e models.Entry, path string,
	frames []*pipeline.Frame) (said []string) {
	t.Helper()
	from, model, note, err := p.classifier(e, e.Model, path, Auto)
	if err != nil || note != nil {
		t.Fatal(err, note)
	}
	c, err := rt.NewClassifierFrom(from, model, p.runOptions(2, 8))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	sampler := pipeline.NewSampler(model.Input)
	for from := range slices.Chunk(frames, 7) { // padded to 8 where sizes are fixed
		var crops []pipeline.Crop
		for _, frame := range from {
			crop := model.Input.NewCrop()
			sampler.Crop(crop, frame, pipeline.Region{W: float32(frame.Width), H: float32(frame.Height)})
			crops = append(crops, crop)
		}
		scores, err := c.Classify(t.Context(), nil, crops)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range scores {
			said = append(said, e.Labels[slices.Index(s.Logits, slices.Max(s.Logits))])
		}
	}
	return said
}

// With a GPU's profile, BlazeFace takes bytes and several frames, YuNet bytes and one frame; both find four faces.
func TestProfilesOfDetectors(t *testing.T) {
	for name, wanted := range map[string]int{"blazeface-back": 16, "yunet": 1} {
		t.Run(name, func(t *testing.T) {
			e, path := entryOf(t, name)
			from, model, frames, note := gpu().detector(e.Model, path)
			if note != nil || frames != wanted || !model.Input.Bytes {
				t.Fatal(note, frames, model.Input)
			}
			rt, err := ort.Open(settings(t, t.TempDir()).Library)
			if err != nil {
				t.Fatal(err)
			}
			defer rt.Close()
			d, err := rt.NewDetectorFrom(from, model, gpu().runOptions(1, frames))
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			faces, err := d.Detect(t.Context(), nil, photograph(t))
			if err != nil || len(faces) != 4 {
				t.Error(len(faces), err)
			}
		})
	}
}

func TestProfileFor(t *testing.T) {
	cpu := Settings{}.profileFor(ort.CPU)
	if cpu.half || cpu.bytes || cpu.fixedSizes || cpu.inFlight != 0 || cpu.maxFrames != 1 ||
		cpu.maxFaces != schedule.DefaultBatch {
		t.Errorf("the CPU's profile is %+v", cpu)
	}
	if f := (Settings{Device: Device{Precision: FP32},
		Batch: schedule.Batching{MaxCrops: 128}}).profileFor(ort.CUDA); f.half || !f.bytes || f.inFlight != 2 ||
		fmt.Sprint(f.runOptions(1, f.maxFaces).Sizes()) != "[1 2 4 8 16 32 64 128]" {
		t.Errorf("CUDA's profile is %+v", f)
	}
	if f := (Settings{}).profileFor(ort.WebGPU); f.half || f.bytes || !f.fixedSizes || f.inFlight != 1 {
		t.Errorf("WebGPU's profile is %+v", f)
	}
}

// A network of unknown structure does not run in half precision, and asking for it is an error.
func TestPrecisionOfUserModels(t *testing.T) {
	dir := t.TempDir()
	file := meanColours(false, 0).Marshal()
	add(t, dir, file, plainEntry(file, "scores", pipeline.Logits))
	s := settings(t, dir)
	s.Device.Precision = FP16
	if e, err := Open(s); err == nil || !strings.Contains(err.Error(), "Precision fp16: model mean-colours") ||
		!strings.Contains(err.Error(), "use fp32") {
		t.Error(e, err)
	}
	s.Device.Precision = "fp8"
	if err := s.Check(); err == nil || !strings.Contains(err.Error(), "auto, fp32, fp16 or int8") {
		t.Error(err)
	}
	e := plainEntry(file, "scores", pipeline.Logits)
	from, m, note, err := gpu().classifier(e, e.Model, filepath.Join(dir, e.File), Auto)
	if err != nil || note != nil || from.Graph == nil || !m.Input.Bytes {
		t.Error(from, m.Input, note, err)
	}
}

// The shipped model runs in half precision on request.
func TestHalfPrecisionByName(t *testing.T) {
	entryOf(t, "dan-ferplus")
	s := settings(t, t.TempDir())
	s.Classifiers, s.Device.Precision = []string{"dan-ferplus"}, FP16
	if err := linkModel(t, s.Models, "dan-ferplus"); err != nil {
		t.Fatal(err)
	}
	e, err := Open(s)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	var warmed []string
	s.OnWarmUp = func(network string, batch, _ int) { warmed = append(warmed, fmt.Sprint(network, batch)) }
	if err := e.WarmUp(s); err != nil || warmed != nil { // the CPU runs any size at once
		t.Error(err, warmed)
	}
	var m pipeline.Message
	if err := e.NewAnalyzer().Analyze(t.Context(), &m, photograph(t)); err != nil || len(m.Faces) != 4 {
		t.Error(len(m.Faces), err)
	}
}

func linkModel(t *testing.T, dir, name string) error {
	_, path := entryOf(t, name)
	absolute, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	return os.Symlink(absolute, filepath.Join(dir, filepath.Base(path)))
}
