package ort

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"mindflow/models/onnx"
	"mindflow/pipeline"
	"mindflow/pipeline/testkit"
)

// rewritten writes a file's model after changes of its graph.
func rewritten(t testing.TB, path string, changes ...func(*onnx.Graph) (onnx.Graph, error)) (string, *onnx.Model) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := onnx.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range changes {
		if m.Graph, err = change(&m.Graph); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(t.TempDir(), "rewritten.onnx")
	if err := os.WriteFile(file, m.Marshal(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, m
}

func freeBatch(g *onnx.Graph) (onnx.Graph, error)  { return g.FreeBatch() }
func unchanged(g *onnx.Graph) (onnx.Graph, error)  { return *g, nil }
func greyBytes(g *onnx.Graph) (onnx.Graph, error)  { return asBytes(g, 1) }
func colourByte(g *onnx.Graph) (onnx.Graph, error) { return asBytes(g, 3) }

// asBytes makes dan-ferplus take bytes, normalised as its entry says.
func asBytes(g *onnx.Graph, channels int64) (onnx.Graph, error) {
	mean, std := [3]float64{0.485, 0.456, 0.406}, [3]float64{0.229, 0.224, 0.225}
	var scale, offset [3]float64
	for c := range 3 {
		scale[c], offset[c] = 1/(255*std[c]), -mean[c]/std[c]
	}
	return g.TakeBytes(channels, false, scale, offset)
}

// A file that is parsed and written again computes the same.
func TestParsedGraphIsTheSame(t *testing.T) {
	for _, c := range []struct {
		path, in, out string
		picture       []int64
	}{
		{danFile(t), "input", "logits", []int64{3, 96, 96}},
		{blazeFaceFile(t), "input:0", "Identity:0", []int64{256, 256, 3}},
	} {
		t.Run(c.in, func(t *testing.T) {
			again, _ := rewritten(t, c.path, unchanged)
			r := open(t)
			x := Array{append([]int64{1}, c.picture...), wave(1, int(c.picture[1]))}
			want, got := once(t, r, c.path, c.in, c.out, x), once(t, r, again, c.in, c.out, x)
			if d := worst(t, got, want); d != 0 {
				t.Errorf("it differs by %g", d)
			}
		})
	}
}

// once runs a file once and returns one output.
func once(t testing.TB, r *Runtime, path, input, output string, x Array) []float32 {
	t.Helper()
	net, err := r.NewNetwork(path, input, []string{output}, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer net.Close()
	got, err := net.Run(x)
	if err != nil {
		t.Fatal(err)
	}
	return got[0].Data
}

// A picture's bytes give the outputs of floats, except for rounding: an eighth of a grey level on average.
func TestPicturesOfBytes(t *testing.T) {
	m := entry(t, "dan-ferplus").Model
	floats := classifier(t)
	r := floats.session.rt
	for _, c := range []struct {
		colour string
		change func(*onnx.Graph) (onnx.Graph, error)
		most   float64
	}{{pipeline.Grey, greyBytes, 0.05}, {pipeline.RGB, colourByte, 0.1}} {
		t.Run(c.colour, func(t *testing.T) {
			file, _ := rewritten(t, danFile(t), c.change)
			in := m.Input
			in.Colour = c.colour
			plain := in.NewCrop()
			in.Bytes = true
			packed := in.NewCrop()
			model := m
			model.Input = in
			source := Source{danFile(t), func(string) ([]byte, error) { return os.ReadFile(file) }}
			bytes, err := r.NewClassifierFrom(source, model, RunOptions{Threads: 1, MaxBatch: 2})
			if err != nil {
				t.Fatal(err)
			}
			defer bytes.Close()
			f, noses := four(t)
			region := pipeline.Region{X: noses[0].X*float32(f.Width) - 60, Y: noses[0].Y*float32(f.Height) - 70, W: 120,
				H: 120}
			without := in
			without.Bytes = false
			pipeline.NewSampler(without).Crop(plain, f, region)
			pipeline.NewSampler(in).Crop(packed, f, region)
			if len(packed.Bytes) != in.CropChannels()*96*96 || packed.Values != nil {
				t.Fatalf("%d bytes, %d values", len(packed.Bytes), len(packed.Values))
			}
			want, err := floats.Classify(t.Context(), nil, []pipeline.Crop{plain})
			if err != nil {
				t.Fatal(err)
			}
			got, err := bytes.Classify(t.Context(), nil, []pipeline.Crop{packed, packed})
			if err != nil {
				t.Fatal(err)
			}
			for i := range got {
				d := worst(t, got[i].Logits, want[0].Logits)
				t.Logf("logits differ by %.2g", d)
				if !(d <= c.most) {
					t.Errorf("%v, with floats %v", got[i].Logits, want[0].Logits)
				}
			}
			if _, err := bytes.Classify(t.Context(), nil,
				[]pipeline.Crop{{Values: make([]float32, in.Len())}}); err == nil {
				t.Error("floats were accepted as bytes")
			}
		})
	}
}

// Both BlazeFaces take any number of frames with a free batch, and find in each what they find in it alone.
func TestFreedBatch(t *testing.T) {
	for name, size := range map[string]int{"blazeface-back": 256, "blazeface-front": 128} {
		t.Run(name, func(t *testing.T) {
			e := entry(t, name)
			path := filepath.Join(filepath.Dir(blazeFaceFile(t)), e.File)
			testkit.File(t, path, `run "make build"`)
			file, _ := rewritten(t, path, freeBatch)
			r := open(t)
			const n = 3
			x := wave(n, size)
			side, one := int64(size), 3*size*size
			for _, o := range e.Outputs {
				got := once(t, r, file, e.Input.Name, o.Name, Array{[]int64{n, side, side, 3}, x})
				for i := range n {
					want := once(t, r, path, e.Input.Name, o.Name,
						Array{[]int64{1, side, side, 3}, x[i*one : (i+1)*one]})
					if d := worst(t, got[i*len(want):(i+1)*len(want)], want); !(d <= 1e-4) {
						t.Errorf("%s, frame %d: differs by %g", o.Name, i, d)
					}
				}
			}
		})
	}
}

func TestSizes(t *testing.T) {
	for _, c := range []struct {
		opts RunOptions
		want string
	}{
		{RunOptions{MaxBatch: 3}, "[1 2 3]"},
		{RunOptions{MaxBatch: 8, FixedSizes: true}, "[1 2 4 8]"},
		{RunOptions{MaxBatch: 12, FixedSizes: true}, "[1 2 4 8 12]"},
		{RunOptions{MaxBatch: 1, FixedSizes: true}, "[1]"},
	} {
		if got := fmt.Sprint(c.opts.Sizes()); got != c.want {
			t.Errorf("%+v: %s, want %s", c.opts, got, c.want)
		}
	}
}
