package server

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"mindflow/models"
	"mindflow/pipeline"
	"mindflow/pipeline/avdec"
	"mindflow/pipeline/ort"
	"mindflow/pipeline/schedule"
	"mindflow/pipeline/testkit"
	"mindflow/server/servertest"
	"mindflow/server/session"
	"mindflow/server/whipclient"
)

// there gives the path of a file that is not committed, or skips the test.
func there(t *testing.T, variable, otherwise string, parts ...string) string {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		path = otherwise
	}
	path = filepath.Join(append([]string{path}, parts...)...)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		t.Skipf("%s is not there; run \"make build\", or set %s", path, variable)
	}
	return path
}

// realEngine analyses with the models that are shipped.
func realEngine(t *testing.T) session.Engine {
	t.Helper()
	library := testkit.ORTLibrary(t)
	manifest, err := models.Default()
	if err != nil {
		t.Fatal(err)
	}
	detect, err := manifest.Lookup("blazeface-back")
	if err != nil {
		t.Fatal(err)
	}
	classify, err := manifest.Lookup("dan-ferplus")
	if err != nil {
		t.Fatal(err)
	}
	detectFile := there(t, "MINDFLOW_MODELS", "../bin/models", detect.File)
	classifyFile := filepath.Join("../models/weights", classify.File)

	r, err := ort.Open(library)
	if err != nil {
		t.Fatal(err)
	}
	closeAtEnd(t, r.Close)
	detector, err := r.NewDetector(detectFile, detect.Model, 1)
	if err != nil {
		t.Fatal(err)
	}
	closeAtEnd(t, detector.Close)
	classifier, err := r.NewClassifier(classifyFile, classify.Model, 1, 8)
	if err != nil {
		t.Fatal(err)
	}
	closeAtEnd(t, classifier.Close)
	analysis := pipeline.Analysis{
		Detector: detector, Classifier: classifier, Model: classify.Model,
		Smoothing: 300 * time.Millisecond, MaxFaces: 16,
	}
	return session.Engine{
		OpenDecoder: func(c pipeline.Codec) (pipeline.Decoder, error) { return avdec.Open(c, avdec.DefaultMaxPixels) },
		Analyses:    []pipeline.Analysis{analysis},
		Scheduler:   schedule.New(2, schedule.Batching{}),
	}
}

func closeAtEnd(t *testing.T, f func() error) {
	t.Cleanup(func() {
		if err := f(); err != nil {
			t.Error(err)
		}
	})
}

// TestExpressions sends a face through everything there is and wants it found and labelled.
func TestExpressions(t *testing.T) {
	clip := there(t, "MINDFLOW_TESTDATA", "../../shared/media", "woman-distress-to-laugh.mp4")
	for _, codec := range []pipeline.Codec{pipeline.VP8, pipeline.H264} {
		t.Run(string(codec), func(t *testing.T) {
			units := testkit.EncodeFile(t, codec, clip, 640, 360, 15, 2*time.Second)
			e := realEngine(t)
			s := begin(t, e, nil)
			p := dial(t, s, whipclient.Options{Codec: codec})
			p.Stream(units)
			for range 15 {
				m := p.Label("labels", servertest.Any)
				if len(m.Faces) != 1 {
					t.Fatalf("message %d has %d faces", m.Seq, len(m.Faces))
				}
				checkFace(t, e.Analyses[0].Model, m.Faces[0])
			}
		})
	}
}

func checkFace(t *testing.T, model pipeline.Model, face pipeline.Label) {
	t.Helper()
	x, y := face.Box[0]+face.Box[2]/2, face.Box[1]+face.Box[3]/2
	if x < 0.5 || x > 0.9 || y < 0.5 || y > 0.8 || face.Box[3] < 0.4 || face.Score < 0.6 {
		t.Errorf("the face is at %v, found with %v", face.Box, face.Score)
	}
	var sum float64
	for _, score := range face.Scores {
		sum += float64(score)
	}
	best := slices.Index(model.Labels, face.Label)
	if len(face.Scores) != len(model.Labels) || math.Abs(sum-1) > 1e-3 || best < 0 ||
		face.Scores[best] != face.Confidence {
		t.Errorf("%s at %v with scores %v", face.Label, face.Confidence, face.Scores)
	}
	if face.Label == "happy" { // it laughs at the end of the clip only
		t.Errorf("a face in distress is %s", face.Label)
	}
}
