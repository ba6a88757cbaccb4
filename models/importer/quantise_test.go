package importer

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mindflow/models/checkpoint"
	"mindflow/models/dan"
	"mindflow/pipeline/ort"
)

// portraits fills a folder with n pictures of waves, half of them in a folder named by a label.
func portraits(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "happy"), 0o700); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		img := image.NewGray(image.Rect(0, 0, 64, 64))
		for k := range img.Pix {
			x, y := float64(k%64), float64(k/64)
			img.Pix[k] = uint8(127 + 120*math.Sin(x*float64(i%7+1)/20+float64(i))*math.Cos(y*float64(i%5+1)/20))
		}
		var text bytes.Buffer
		if err := png.Encode(&text, img); err != nil {
			t.Fatal(err)
		}
		sub := []string{"", "happy"}[i/2%2]
		if err := os.WriteFile(filepath.Join(dir, sub, fmt.Sprintf("%03d.png", i)), text.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Eight bits stay near float32 on pictures of the calibrated kind, and say what they cost.
func TestImportInt8(t *testing.T) {
	o := options(t, fixture(t, "two-heads"))
	o.Size, o.Precision, o.Calibrate = 64, INT8, portraits(t, 40)
	var out bytes.Buffer
	if _, err := Import(t.Context(), o, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"of 20 faces", "in float32", "accuracy", "of 10 faces"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, out.String())
		}
	}
	_, small := added(t, o.Models, "two-heads")
	face, err := ReadFace(filepath.Join(o.Calibrate, "happy", "007.png"), o.input())
	if err != nil {
		t.Fatal(err)
	}
	float := o
	float.Precision, float.Calibrate, float.Models = dan.FP32, "", t.TempDir()
	if _, err := Import(t.Context(), float, io.Discard); err != nil {
		t.Fatal(err)
	}
	_, exact := added(t, float.Models, "two-heads")
	rt, err := ort.Open(o.Library)
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close()
	x := ort.Array{Shape: []int64{1, 3, 64, 64}, Data: face.Crop}
	for _, output := range []string{"logits", "attention"} {
		var got [2]ort.Array
		for i, path := range []string{small, exact} {
			net, err := rt.NewNetwork(path, "input", []string{output}, 1)
			if err != nil {
				t.Fatal(err)
			}
			arrays, err := net.Run(x)
			if err := errors.Join(err, net.Close()); err != nil {
				t.Fatal(err)
			}
			got[i] = arrays[0]
		}
		want := make([]float64, len(got[1].Data))
		for i, v := range got[1].Data {
			want[i] = float64(v)
		}
		d := worst(got[0].Data, want)
		t.Logf("%s: largest difference %.2g", output, d)
		if d == 0 || !(d <= 0.25) {
			t.Errorf("%s differ by %.2g, want something up to 0.25", output, d)
		}
	}
}

// Ranges in the entry of a model of another precision give the graph in 8 bits that int8 would have stored.
func TestImportRanges(t *testing.T) {
	o := options(t, fixture(t, "two-heads"))
	o.Size, o.Precision, o.Calibrate = 64, dan.FP16, portraits(t, 40)
	var out bytes.Buffer
	if _, err := Import(t.Context(), o, &out); err != nil {
		t.Fatal(err)
	}
	if want := "the same label as in float32"; !strings.Contains(out.String(), want) {
		t.Errorf("it does not say %q:\n%s", want, out.String())
	}
	e, path := added(t, o.Models, "two-heads")
	if files := names(t, o.Models); len(files) != 2 || e.File != filepath.Base(path) {
		t.Errorf("the folder holds %q", files)
	}
	file, err := checkpoint.Open(o.Checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	tensors, err := file.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, summary, err := dan.Build(tensors, dan.FP16)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range summary.Activations {
		r, ok := e.Ranges[a.Name]
		if !ok || r[0] > 0 && strings.HasSuffix(a.Name, ".relu") || !(r[0] < r[1]) {
			t.Errorf("%s lies in %v", a.Name, r)
		}
	}
	if len(e.Ranges) != len(summary.Activations) {
		t.Errorf("%d ranges of %d tensors", len(e.Ranges), len(summary.Activations))
	}
}

func TestImportInt8Refuses(t *testing.T) {
	checkpoint, faces := fixture(t, "two-heads"), portraits(t, 20)
	for name, c := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"nothing to calibrate on": {func(o *Options) { o.Calibrate = "" }, "Calibrate: "},
		"too few faces":           {func(o *Options) { o.Calibrate = portraits(t, 5) }, "5 pictures"},
		"no picture": {func(o *Options) {
			o.Calibrate = portraits(t, 20)
			if err := os.WriteFile(filepath.Join(o.Calibrate, "notes.png"), []byte("words"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "take it out"},
		"no folder": {func(o *Options) { o.Calibrate = "/nowhere" }, "/nowhere"},
	} {
		o := options(t, checkpoint)
		o.Precision, o.Size, o.Calibrate = INT8, 64, faces
		c.change(&o)
		if _, err := Import(t.Context(), o, io.Discard); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v does not say %q", name, err, c.want)
		}
		if files := names(t, o.Models); len(files) > 0 {
			t.Errorf("%s: the folder holds %q", name, files)
		}
	}
}

// Of few faces, one or two may differ by chance.
func TestInt8FewFaces(t *testing.T) {
	for _, c := range []struct {
		faces, same   int
		refused, told bool
	}{
		{10, 10, false, false}, {10, 9, false, true}, {10, 8, false, true}, {10, 7, true, false},
		{40, 38, false, false}, {40, 37, true, false}, {500, 475, false, false}, {500, 474, true, false},
	} {
		comparison := comparison{faces: c.faces, same: c.same}
		err := comparison.fault()
		if (err != nil) != c.refused {
			t.Errorf("%d of %d: %v", c.same, c.faces, err)
		}
		if want := fmt.Sprintf("on %d of %d faces only, want 95 %% or all but 2; nothing was added", c.same,
			c.faces); c.refused && !strings.Contains(err.Error(), want) {
			t.Errorf("it says %v", err)
		}
		var out bytes.Buffer
		comparison.print(&out)
		if told := strings.Contains(out.String(), "so few faces"); told != c.told {
			t.Errorf("%d of %d: it says\n%s", c.same, c.faces, out.String())
		}
	}
}
