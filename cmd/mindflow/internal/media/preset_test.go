package media

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"mindflow/cmd/mindflow/internal/clitest"
	"mindflow/pipeline"
)

// TestPresetRepeatsTheNotebook: the preset gives the results of the notebook's loop. testdata/notebook.json holds one
// frame of two seconds of the clip, by bench/notebook_loop.py --samples with OpenCV 4.6.
func TestPresetRepeatsTheNotebook(t *testing.T) {
	clip := clitest.MediaFile(t, "woman-distress-to-laugh.mp4")
	if _, err := os.Stat("/usr/share/opencv4/haarcascades/haarcascade_frontalface_default.xml"); err != nil {
		t.Skip("install opencv-data:", err)
	}
	var want []struct {
		T      float64
		Box    [4]float64 // pixels
		Label  string
		Scores []float64
	}
	text, err := os.ReadFile(filepath.Join("testdata", "notebook.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	args := append([]string{clip, "--preset", "notebook", "--rate", "0.5", "--json"}, clitest.EngineArgs(t)...)
	if err := Video().Execute(t.Context(), args, nil, &out); err != nil {
		t.Fatal(err)
	}
	lines := json.NewDecoder(&out)
	for _, w := range want {
		var got struct {
			T     float64
			Faces []pipeline.Label
		}
		if err := lines.Decode(&got); err != nil {
			t.Fatal(err)
		}
		if math.Abs(got.T-w.T) > 0.001 || len(got.Faces) != 1 {
			t.Fatalf("%d faces at %v s, want one at %v s", len(got.Faces), got.T, w.T)
		}
		face := got.Faces[0]
		for i, v := range face.Box {
			side := []float64{640, 360}[i%2]
			if math.Abs(float64(v)*side-w.Box[i]) > 0.01 {
				t.Errorf("at %v s the box is %v, want %v in pixels", w.T, face.Box, w.Box)
			}
		}
		for i, v := range face.Scores {
			if math.Abs(float64(v)-w.Scores[i]) > 0.01 {
				t.Errorf("at %v s the scores are %v, want %v", w.T, face.Scores, w.Scores)
				break
			}
		}
		if face.Label != w.Label {
			t.Errorf("at %v s the label is %s, want %s", w.T, face.Label, w.Label)
		}
	}
}
