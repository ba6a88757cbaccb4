package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"mindflow/models/engine"
	"mindflow/pipeline"
	"mindflow/pipeline/avdec"
	"mindflow/pipeline/testkit"
)

const clipWidth, clipHeight, clipRate = 640, 360, 24

func openEngine(b testing.TB) *engine.Engine {
	b.Helper()
	bin := filepath.Join(testkit.Root(), "bin")
	if _, err := os.Stat(filepath.Join(bin, "lib")); err != nil {
		b.Skip("run make build first:", err)
	}
	settings := engine.Default()
	settings.Models, settings.Library = filepath.Join(bin, "models"), filepath.Join(bin, "lib", "libonnxruntime.so.1")
	e, err := engine.Open(settings)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := e.Close(); err != nil {
			b.Error(err)
		}
	})
	return e
}

func encodeClip(b testing.TB, codec pipeline.Codec) []pipeline.Unit {
	b.Helper()
	return testkit.EncodeFile(b, codec, testkit.Clip(b), clipWidth, clipHeight, clipRate, 5*time.Second)
}

func openDecoder(b testing.TB, codec pipeline.Codec) *avdec.Decoder {
	b.Helper()
	d, err := avdec.Open(codec, avdec.DefaultMaxPixels)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := d.Close(); err != nil {
			b.Error(err)
		}
	})
	return d
}

// faceFrame returns a picture of the clip with the face in it.
func faceFrame(b *testing.B) *pipeline.Frame {
	b.Helper()
	d, f := openDecoder(b, pipeline.VP8), &pipeline.Frame{}
	for _, u := range encodeClip(b, pipeline.VP8)[:30] {
		if err := d.Decode(u, f.CopyFrom); err != nil {
			b.Fatal(err)
		}
	}
	return f
}

func BenchmarkDecode(b *testing.B) {
	for _, codec := range []pipeline.Codec{pipeline.VP8, pipeline.H264} {
		b.Run(string(codec), func(b *testing.B) {
			units, d := encodeClip(b, codec), openDecoder(b, codec)
			i := 0
			for b.Loop() {
				if err := d.Decode(units[i%len(units)], func(*pipeline.Frame) {}); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}

func BenchmarkDetect(b *testing.B) {
	e, f := openEngine(b), faceFrame(b)
	var faces []pipeline.Face
	var err error
	for b.Loop() {
		if faces, err = e.Analysis.Detector.Detect(b.Context(), faces[:0], f); err != nil {
			b.Fatal(err)
		}
	}
	if len(faces) != 1 {
		b.Fatalf("%d faces in a frame with one", len(faces))
	}
}

func BenchmarkCrop(b *testing.B) {
	e, f := openEngine(b), faceFrame(b)
	model := e.Analysis.Model
	sampler, crop := pipeline.NewSampler(model.Input), model.Input.NewCrop()
	for b.Loop() {
		sampler.Crop(crop, f, pipeline.Region{X: 200, Y: 60, W: 180, H: 180})
	}
}

func BenchmarkClassify(b *testing.B) {
	e := openEngine(b)
	for _, n := range []int{1, 4} {
		crops := make([]pipeline.Crop, n)
		for i := range crops {
			crops[i] = e.Analysis.Model.Input.NewCrop()
		}
		b.Run(fmt.Sprintf("faces=%d", n), func(b *testing.B) {
			var scores []pipeline.Scores
			var err error
			for b.Loop() {
				if scores, err = e.Analysis.Classifier.Classify(b.Context(), scores[:0], crops); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// wholePipeline returns a function that takes one access unit all the way to its message: decoder, mailbox, detector,
// tracker, crop, classifier, smoother. Its buffers have grown to their size.
func wholePipeline(b testing.TB, policy pipeline.AnalysisPolicy) (frame func()) {
	e, units, d := openEngine(b), encodeClip(b, pipeline.VP8), openDecoder(b, pipeline.VP8)
	slot, mailbox := e.Scheduler.NewSlot(), pipeline.NewMailbox()
	analysis := e.Analysis
	analysis.Policy, analysis.Classifier = policy, slot.Classifier(analysis.Model.Name, analysis.Classifier)
	analyzer := pipeline.NewAnalyzer(analysis)
	var m pipeline.Message
	put := func(f *pipeline.Frame) { mailbox.Put(f) }
	start, i := time.Now(), 0
	frame = func() {
		u := units[i%len(units)]
		u.RTP, u.Arrived = uint32(i*90_000/clipRate), start.Add(time.Duration(i)*time.Second/clipRate)
		i++
		if err := d.Decode(u, put); err != nil {
			b.Fatal(err)
		}
		if err := slot.Acquire(b.Context()); err != nil {
			b.Fatal(err)
		}
		f, ok := mailbox.Take()
		if !ok {
			b.Fatal("the decoder kept a frame")
		}
		err := analyzer.Detect(b.Context(), &m, f)
		slot.Release()
		if err == nil {
			err = analyzer.Classify(b.Context(), &m)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	for range clipRate {
		frame()
	}
	return frame
}

// analysisPolicies are the analysis of every frame, and the one that ships.
var analysisPolicies = []struct {
	name   string
	policy pipeline.AnalysisPolicy
}{{"every frame", pipeline.AnalysisPolicy{}}, {"shipped", engine.DefaultPolicy}}

func BenchmarkWhole(b *testing.B) {
	for _, p := range analysisPolicies {
		b.Run(p.name, func(b *testing.B) {
			for frame := wholePipeline(b, p.policy); b.Loop(); {
				frame()
			}
		})
	}
}
