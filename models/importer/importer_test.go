package importer

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mindflow/models"
	"mindflow/pipeline"
	"mindflow/pipeline/ort"
	"mindflow/pipeline/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// fixture unpacks a checkpoint of testdata.
func fixture(t testing.TB, name string) string {
	t.Helper()
	packed, err := os.Open(filepath.Join("testdata", name+".pth.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	r, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name+".pth")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(f, r)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// golden is what PyTorch computes with a checkpoint for wave.
type golden struct {
	Heads, Classes int
	Cases          []struct {
		Batch  int             `json:"batch"`
		Size   int             `json:"size"`
		Logits [][]float64     `json:"logits"`
		Gates  [][][][]float64 `json:"gates"`
	}
}

func readJSON(t testing.TB, path string, v any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// compare runs a model file on the golden pictures; differences are relative where the value is over one.
func (g golden) compare(t *testing.T, path string, tolerance float64) {
	t.Helper()
	if len(g.Cases) == 0 {
		t.Fatal("no golden cases")
	}
	rt, err := ort.Open(testkit.ORTLibrary(t))
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close()
	net, err := rt.NewNetwork(path, "input", []string{"logits", "attention"}, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer net.Close()
	for _, c := range g.Cases {
		side := int64(c.Size)
		got, err := net.Run(ort.Array{Shape: []int64{int64(c.Batch), 3, side, side}, Data: batch(c.Batch, c.Size)})
		if err != nil {
			t.Fatal(err)
		}
		var gates []float64
		for _, picture := range c.Gates {
			for _, head := range picture {
				gates = append(gates, slices.Concat(head...)...)
			}
		}
		for i, want := range [][]float64{slices.Concat(c.Logits...), gates} {
			if len(got[i].Data) != len(want) {
				t.Fatalf("%d of %d pixels, output %d: %d values, want %d", c.Batch, c.Size, i, len(got[i].Data),
					len(want))
			}
			d := worst(got[i].Data, want)
			t.Logf("%d of %d pixels, output %d: largest difference %.2g", c.Batch, c.Size, i, d)
			if !(d <= tolerance) {
				t.Errorf("%d of %d pixels, output %d differs by %.2g, allowed is %.2g", c.Batch, c.Size, i, d,
					tolerance)
			}
		}
	}
}

// batch is the input of the golden files, [n,3,side,side]; the first picture is wave's.
func batch(n, side int) []float32 {
	x := wave(side)
	for b := 1; b < n; b++ {
		for c := range 3 {
			for i := range side {
				for j := range side {
					x = append(x, float32(math.Sin(0.013*float64((c+1)*i)+0.017*float64((b+1)*j)+0.5*float64(b))))
				}
			}
		}
	}
	return x
}

func options(t testing.TB, checkpoint string) Options {
	return Options{Checkpoint: checkpoint, Size: 224, Models: t.TempDir(), Library: testkit.ORTLibrary(t)}
}

// Checkpoints that PyTorch wrote give its values again, whatever their form.
func TestImportGolden(t *testing.T) {
	var all map[string]golden
	readJSON(t, "testdata/expected.json", &all)
	for _, c := range []struct {
		fixture string
		labels  []string
		want    []string // labels
		format  string
	}{
		{"seven", []string{"affectnet7"}, []string{"neutral", "happy", "sad", "surprise", "fear", "disgust", "anger"},
			"zip"},
		{"seven", []string{"rafdb"}, []string{"surprise", "fear", "disgust", "happy", "sad", "anger", "neutral"},
			"zip"},
		{"two-heads", nil, models.LabelOrder(models.AffectNet8), "zip"},
		{"one-head", []string{"a", "b", "c", "d", "e", "f", "g", "h"}, []string{"a", "b", "c", "d", "e", "f", "g", "h"},
			"zip"},
		{"legacy", nil, models.LabelOrder(models.AffectNet8), "before 1.6"},
	} {
		t.Run(strings.Join(append([]string{c.fixture}, c.labels...), " "), func(t *testing.T) {
			o := options(t, fixture(t, c.fixture))
			o.Labels = c.labels
			var out bytes.Buffer
			if _, err := Import(t.Context(), o, &out); err != nil {
				t.Fatal(err)
			}
			g := all[c.fixture]
			for _, want := range []string{fmt.Sprintf("%d heads and %d classes", g.Heads, g.Classes), c.format,
				"float64"} {
				if !strings.Contains(strings.ReplaceAll(out.String(), "1 head ", "1 heads "), want) {
					t.Errorf("it does not say %q:\n%s", want, out.String())
				}
			}
			e, path := added(t, o.Models, c.fixture)
			if !slices.Equal(e.Labels, c.want) {
				t.Errorf("labels are %q, want %q", e.Labels, c.want)
			}
			if e.Input.Size != 224 || e.Input.Colour != pipeline.RGB || e.Temperature != 1 {
				t.Errorf("input %+v, temperature %g", e.Input, e.Temperature)
			}
			g.compare(t, path, 1e-4)
		})
	}
}

// added is the only model in the folder, whose sum is right.
func added(t *testing.T, dir, name string) (models.Entry, string) {
	t.Helper()
	e, path := kept(t, dir, name)
	if files := names(t, dir); !slices.Equal(files, []string{models.FileName(name, e.SHA256), name + ".json"}) ||
		e.File != files[0] {
		t.Errorf("the folder holds %q", files)
	}
	return e, path
}

// kept is a model in the folder, whose sum is right.
func kept(t *testing.T, dir, name string) (models.Entry, string) {
	t.Helper()
	m, err := models.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	e, err := m.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	path, err := models.Verify(dir, e)
	if err != nil {
		t.Fatal(err)
	}
	return e, path
}

func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, f := range files {
		list = append(list, f.Name())
	}
	return list
}

// What is refused leaves the folder as it was.
func TestImportRefuses(t *testing.T) {
	seven, two := fixture(t, "seven"), fixture(t, "two-heads")
	text := filepath.Join(t.TempDir(), "notes.pth")
	if err := os.WriteFile(text, []byte("no weights"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*Options)
		want   []string
	}{
		"seven classes without an order": {func(*Options) {},
			[]string{seven, "affectnet7 (neutral, happy", "rafdb (surprise, fear", "Labels: "}},
		"labels of another number": {func(o *Options) { o.Labels = []string{"affectnet8"} },
			[]string{"8", "7 classes"}},
		"a label twice": {func(o *Options) { o.Labels = []string{"a", "b", "c", "d", "e", "f", "a"} },
			[]string{`"a" is named twice`}},
		"a label too long": {func(o *Options) {
			o.Labels = []string{"a", "b", "c", "d", "e", "f", strings.Repeat("g", 65)}
		}, []string{"65 bytes", "64"}},
		"a shipped name": {func(o *Options) { o.Name = "dan-ferplus" },
			[]string{"Name dan-ferplus: ", "is shipped"}},
		"a taken name": {func(o *Options) { o.Name = "taken" }, []string{"taken.json", "or replace it"}},
		"an ONNX file": {func(o *Options) { o.Checkpoint = "net.onnx" },
			[]string{"net.onnx", "NAME.json", "models/README.md"}},
		"a path as name":    {func(o *Options) { o.Name = "../x" }, []string{`"../x"`, "Name: "}},
		"a file as folder":  {func(o *Options) { o.Models = text }, []string{text, "Models: "}},
		"a size of nothing": {func(o *Options) { o.Size = 0 }, []string{"Size 0: "}},
		"a text file":       {func(o *Options) { o.Checkpoint = text }, []string{text, "torch.save"}},
		"no file":           {func(o *Options) { o.Checkpoint = "none.pth" }, []string{"none.pth"}},
		"no library": {func(o *Options) { o.Checkpoint, o.Library = two, "/nowhere/lib.so" },
			[]string{"/nowhere/lib.so"}},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t, seven)
			folder := o.Models
			for _, file := range []string{"taken.json", "others.onnx"} {
				if err := os.WriteFile(filepath.Join(o.Models, file), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			c.change(&o)
			_, err := Import(t.Context(), o, io.Discard)
			for _, part := range c.want {
				if err == nil || !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "\n") {
					t.Errorf("error %v does not say %q in one line", err, part)
				}
			}
			if files := names(t, folder); !slices.Equal(files, []string{"others.onnx", "taken.json"}) {
				t.Errorf("the folder holds %q", files)
			}
		})
	}
}
