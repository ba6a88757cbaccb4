package pipeline

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"
)

// looking answers three classes and two maps of 2×1.
type looking struct{ values []float32 }

func (c looking) Classify(_ context.Context, dst []Scores, crops []Crop) ([]Scores, error) {
	for range crops {
		attention := Attention{Heads: 2, Height: 1, Width: 2, Values: c.values}
		dst = append(dst, Scores{Logits: []float32{0, 0, 5}, Attention: attention})
	}
	return dst, nil
}

func lookingAnalysis(values ...float32) Analysis {
	how := analysis(fixed{faces: twoFaces}, looking{values})
	how.Model.Name, how.Model.Labels = "looking", []string{"a", "b", "c"}
	how.Model.Input.Size = 48
	return how
}

func TestAttentionIsScaledPerHead(t *testing.T) {
	a := NewAnalyzer(lookingAnalysis(-3000, 5000, 7, 7))
	f, m := grey(640, 480, 90), Message{}
	if err := a.Analyze(t.Context(), &m, f); err != nil {
		t.Fatal(err)
	}
	if m.Faces[0].Attention != nil {
		t.Error("attention was sent without a request")
	}
	a.WithAttention = true
	if err := a.Analyze(t.Context(), &m, f); err != nil {
		t.Fatal(err)
	}
	v := m.Faces[1].Attention
	if v == nil || v.Heads != 2 || v.Width != 2 || v.Height != 1 || !slices.Equal(v.Data, []byte{0, 255, 0, 0}) ||
		!slices.Equal(v.Ranges, [][2]float32{{-3000, 5000}, {7, 7}}) {
		t.Fatalf("%+v", v)
	}
	// The crop is a square of 1.2 times the face's 144 pixels around its centre (448, 264).
	const side = 1.2 * 144
	want := [4]float32{(448 - side/2) / 640, (264 - side/2) / 480, side / 640.0, side / 480.0}
	for i, w := range want {
		if math.Abs(float64(v.Region[i]-w)) > 1e-5 {
			t.Errorf("region %v, want %v", v.Region, want)
		}
	}
}

func TestAttentionThatIsNotFinite(t *testing.T) {
	for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1))} {
		a := NewAnalyzer(lookingAnalysis(1, bad, 7, 7))
		a.WithAttention = true
		var m Message
		if err := a.Analyze(t.Context(), &m, grey(64, 48, 90)); err != nil {
			t.Fatal(err)
		}
		if m.Faces[0].Attention != nil {
			t.Errorf("%+v", m.Faces[0].Attention)
		}
	}
}

// After Use the faces stay, and the first scores of the new model are not smoothed.
func TestUseAnotherModel(t *testing.T) {
	first := analysis(fixed{faces: twoFaces}, &swinging{})
	a := NewAnalyzer(first)
	f, m := grey(64, 48, 90), Message{}
	analyze := func() Label {
		t.Helper()
		f.Arrived = f.Arrived.Add(33 * time.Millisecond)
		if err := a.Analyze(t.Context(), &m, f); err != nil {
			t.Fatal(err)
		}
		return m.Faces[0]
	}
	analyze()
	steady := analyze()
	a.Use(first)
	if again := analyze(); again.Scores[0] == 1-steady.Scores[0] || m.Model != "" {
		t.Errorf("the same model began again: %v after %v", again.Scores, steady.Scores)
	}
	a.Use(lookingAnalysis(1, 2, 3, 4))
	other := analyze()
	asTheOther := len(other.Scores) == 3 && other.Label == "c" && other.Confidence >= 0.9 && m.Model == "looking"
	if other.ID != steady.ID || !asTheOther {
		t.Errorf("%s: %+v", m.Model, other)
	}
	a.Use(first)
	if back := analyze(); back.ID != steady.ID || len(back.Scores) != 2 || back.Confidence < 0.9 {
		t.Errorf("%+v", back)
	}
}
