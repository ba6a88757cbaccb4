package importer

import (
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"mindflow/models"
	"mindflow/models/dan"
	"mindflow/models/evaluate/dataset"
	"mindflow/pipeline"
	"mindflow/pipeline/ort"
	"mindflow/pipeline/testkit"
)

// ferplus unpacks every n-th picture of a part of FER+ that has a majority into a folder for each label.
func ferplus(t *testing.T, whole, split string, n int) (dir string) {
	t.Helper()
	pictures, _, err := dataset.Read(whole,
		dataset.Options{Labels: models.LabelOrder(models.AffectNet8), Rule: dataset.Majority, Split: split})
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	for i := 0; i < len(pictures); i += n {
		data, err := pictures[i].Read()
		if err != nil {
			t.Fatal(err)
		}
		folder := filepath.Join(dir, pictures[i].Class)
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%05d.png", i)), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// unpacked is an archive as a folder. The race detector makes Go's own reader of archives slow.
func unpacked(t *testing.T, archive string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if said, err := exec.Command("tar", "-xzf", archive, "-C", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return dir
}

// The trained network gives PyTorch's values, and keeps what it says in each precision. The latter is looked
// at on every fourth picture of FER+ valid, which takes half a minute, a whole one with the race detector, and is
// left out with -short. All pictures give the table of models/README.md, "What it costs and keeps".
func TestImportTrained(t *testing.T) {
	o := options(t, testkit.SharedFile(t, "models", "dan-ferplus.pth"))
	o.Name, o.Size, o.Grey, o.Replace = "mine", 96, true, true
	var g golden
	readJSON(t, testkit.SharedFile(t, "reference", "golden.json"), &g)
	var faces []Face
	var whole string
	if !testing.Short() {
		whole = unpacked(t, testkit.SharedFile(t, "data", "ferplus-train-valid.tar.gz"))
		if faces = readFaces(t, ferplus(t, whole, "Valid", 4), o.input()); len(faces) != 798 {
			t.Fatalf("%d pictures, want 798", len(faces))
		}
	}
	var exact, truth []string
	for _, f := range faces {
		truth = append(truth, f.Label)
	}
	for _, c := range []struct {
		precision dan.Precision
		tolerance float64 // to PyTorch's values
		same      float64 // least share of labels that are those of float32
	}{{dan.FP32, 1e-4, 1}, {dan.FP16, 1e-2, 0.995}, {INT8, 0, 0.985}} {
		if c.precision == INT8 {
			if faces == nil {
				continue
			}
			o.Calibrate = ferplus(t, whole, "Train", 100) // some 260, half of which give ranges
		}
		o.Precision = c.precision
		if _, err := Import(t.Context(), o, io.Discard); err != nil {
			t.Fatal(err)
		}
		e, path := added(t, o.Models, "mine")
		if e.Input.Size != 96 || e.Input.Colour != pipeline.Grey {
			t.Errorf("%s: input %+v", c.precision, e.Input)
		}
		if c.tolerance > 0 {
			g.compare(t, path, c.tolerance)
		}
		if faces == nil {
			continue
		}
		said := labelled(t, o.Library, path, e, faces)
		if c.precision == dan.FP32 {
			exact = said
		}
		same, right := testkit.EqualShare(said, exact), testkit.EqualShare(said, truth)
		before := testkit.EqualShare(exact, truth)
		t.Logf("%s says the same as float32 on %.2f %%, and is right on %.2f %%", c.precision, 100*same, 100*right)
		if same < c.same || math.Abs(right-before) > 0.007 || right < 0.8 {
			t.Errorf("%s: want the same on %.1f %%, and right within 0.7 of %.2f %%", c.precision, 100*c.same,
				100*before)
		}
	}
}

func readFaces(t *testing.T, dir string, in pipeline.Input) (faces []Face) {
	t.Helper()
	files, err := FaceFiles(dir, math.MaxInt)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		f, err := ReadFace(file, in)
		if err != nil {
			t.Fatal(err)
		}
		faces = append(faces, f)
	}
	return faces
}

// labelled returns the model's labels of faces.
func labelled(t *testing.T, library, path string, e models.Entry, faces []Face) (labels []string) {
	t.Helper()
	rt, err := ort.Open(library)
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close()
	net, err := rt.NewNetwork(path, "input", []string{"logits"}, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer net.Close()
	size := int64(e.Input.Size)
	for _, f := range faces {
		got, err := net.Run(ort.Array{Shape: []int64{1, 3, size, size}, Data: f.Crop})
		if err != nil {
			t.Fatal(err)
		}
		logits := got[0].Data
		labels = append(labels, e.Labels[slices.Index(logits, slices.Max(logits))])
	}
	return labels
}
