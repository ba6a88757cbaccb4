package evaluate

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mindflow/models/engine"
	"mindflow/models/evaluate/dataset"
	"mindflow/pipeline"
)

// byColour is a classifier that says how much of some colours, 0 red to 2 blue, a crop has.
type byColour []int

func (c byColour) Classify(_ context.Context, dst []pipeline.Scores, crops []pipeline.Crop) ([]pipeline.Scores, error) {
	for _, crop := range crops {
		var s pipeline.Scores
		for _, channel := range c {
			s.Logits = append(s.Logits, 4*crop.Values[channel*crop.Len()/3])
		}
		dst = append(dst, s)
	}
	return dst, nil
}

func analysis(name string, colours byColour, labels ...string) pipeline.Analysis {
	return pipeline.Analysis{Classifier: colours, Model: pipeline.Model{
		Name: name, Labels: labels, Temperature: 1,
		Input: pipeline.Input{Size: 8, Layout: pipeline.NCHW, Colour: pipeline.RGB, Channels: 3, Scale: 1. / 255,
			Std: [3]float32{1, 1, 1}},
	}}
}

// painted is a set of one picture of a colour for each path.
func painted(t *testing.T, pictures map[string]color.RGBA) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, c := range pictures {
		img := image.NewRGBA(image.Rect(0, 0, 32, 32))
		for i := range 32 * 32 {
			img.Set(i%32, i/32, c)
		}
		var out bytes.Buffer
		if err := png.Encode(&out, img); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func evaluated(t *testing.T, dir string, analyses ...pipeline.Analysis) (*Result, error) {
	t.Helper()
	return Run(t.Context(), &engine.Engine{Analysis: analyses[0], Analyses: analyses},
		Options{Path: dir, Set: dataset.Options{Rule: dataset.Majority}, Progress: func(int, int) {}})
}

// Models of other classes, in another order and by other names, are compared on those that both have.
func TestVersusOtherClasses(t *testing.T) {
	dir := painted(t, map[string]color.RGBA{
		"happy/red.png": {230, 20, 20, 255}, "happy/violet.png": {150, 20, 230, 255}, // the second most like contempt
		"sad/green.png": {20, 230, 20, 255}, "contempt/blue.png": {20, 20, 230, 255},
	})
	eight, seven := analysis("eight", byColour{0, 1, 2}, "happy", "sad", "contempt"), analysis("seven",
		byColour{2, 1, 0}, "awe", "sadness", "Happiness")
	r, err := evaluated(t, dir, eight)
	if err != nil || r.N != 4 || r.Accuracy != 0.75 || r.Versus != nil {
		t.Fatalf("alone: %+v, %v", r, err)
	}
	if r, err = evaluated(t, dir, eight, seven); err != nil {
		t.Fatal(err)
	}
	v := r.Versus
	if r.N != 3 || r.Accuracy != 1 || len(r.PerClass) != 2 || v.N != 3 || v.Accuracy != 1 || v.Agreement != 1 ||
		v.PerClass[1].Label != "sad" {
		t.Errorf("%+v against %+v", r, v)
	}
	if !slices.Equal(v.Without, []string{"contempt", "awe"}) || v.LeftOut != 1 || r.LeftOut != 0 {
		t.Errorf("without %q, %d and %d pictures", v.Without, v.LeftOut, r.LeftOut)
	}
	var out bytes.Buffer
	if err := Print(&out, r, "eight", dir); err != nil {
		t.Fatal(err)
	}
	if want := "each chose among the 2 classes that both have, without contempt, awe; pictures left out for that: " +
		"1\n"; !strings.Contains(out.String(), want) {
		t.Errorf("it does not say %q:\n%s", want, out.String())
	}

	if r, err = evaluated(t, dir, eight, analysis("same", byColour{0, 1, 2}, "happy", "sad", "contempt")); err != nil ||
		r.N != 4 || len(r.Versus.Without) > 0 {
		t.Errorf("with the same classes: %+v, %v", r, err)
	}
	for name, c := range map[string]struct {
		labels []string
		want   string
	}{
		"one in common": {[]string{"happy", "bored", "awe"}, "Versus other: its classes are"},
		"none there":    {[]string{"anger", "fear", "awe"}, "no picture of a class that both models have"},
	} {
		first := analysis("first", byColour{0, 1, 2, 1, 1}, "happy", "sad", "contempt", "anger", "fear")
		if _, err := evaluated(t, dir, first, analysis("other", byColour{0, 1, 2}, c.labels...)); err == nil ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPlaces(t *testing.T) {
	for _, c := range []struct {
		labels, classes string
		want            []int
	}{
		{"sad happy", "happy sad", []int{1, 0}},
		{"angry anger", "anger neutral", []int{-1, 0}}, // its own name comes first
		{"angry scared", "neutral anger fear", []int{1, 2}},
		{"joy happiness", "happy", []int{0, -1}},
		{"7", "8", []int{-1}},
	} {
		if got := indicesOf(strings.Fields(c.labels), strings.Fields(c.classes)); !slices.Equal(got, c.want) {
			t.Errorf("%s in %s: %v, want %v", c.labels, c.classes, got, c.want)
		}
	}
}
