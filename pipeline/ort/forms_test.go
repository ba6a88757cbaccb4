package ort

import (
	"fmt"
	"os"
	"testing"

	"mindflow/pipeline"
)

// BenchmarkForms crops and classifies one face on the CPU, from floats and from bytes, which ONNX Runtime normalises.
func BenchmarkForms(b *testing.B) {
	plain := classifier(b)
	file, _ := rewritten(b, danFile(b), greyBytes)
	packed := plain.model
	packed.Input.Bytes = true
	source := Source{danFile(b), func(string) ([]byte, error) { return os.ReadFile(file) }}
	bytes, err := plain.session.rt.NewClassifierFrom(source, packed, RunOptions{Threads: 1})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := bytes.Close(); err != nil {
			b.Error(err)
		}
	})
	f, _ := four(b)
	region := pipeline.Region{X: 60, Y: 60, W: 180, H: 180}
	for name, c := range map[string]*Classifier{"floats": plain, "bytes": bytes} {
		b.Run(name, func(b *testing.B) {
			sampler, crops := pipeline.NewSampler(c.model.Input), []pipeline.Crop{c.model.Input.NewCrop()}
			var scores []pipeline.Scores
			for b.Loop() {
				sampler.Crop(crops[0], f, region)
				if scores, err = c.Classify(b.Context(), scores[:0], crops); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(4*len(crops[0].Values)+len(crops[0].Bytes)), "bytes/face")
		})
	}
}

// BenchmarkFramesAtOnce runs BlazeFace on the CPU on several frames at once, without sampling.
func BenchmarkFramesAtOnce(b *testing.B) {
	r := open(b)
	file, _ := rewritten(b, blazeFaceFile(b), freeBatch)
	e := entry(b, "blazeface-back")
	s, err := r.newSession(plan{name: e.Name, path: file, input: e.Input.Name, outputs: []string{"Identity:0"},
		threads: 1})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.close(); err != nil {
			b.Error(err)
		}
	})
	for _, n := range []int{1, 2, 4, 8} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := newWorkspace(s, RunOptions{MaxBatch: n}, false, []int64{256, 256, 3}, []int64{512, 1})
			defer w.close()
			for b.Loop() {
				if err := w.run(n); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(b.N*n), "ms/frame")
		})
	}
}
