package evaluate

import (
	"math"
	"reflect"
	"testing"
)

// answers are twelve pictures of three classes, on a classifier of four. What they come to is from
// scikit-learn 1.2: accuracy_score, balanced_accuracy_score, precision_recall_fscore_support over the
// three classes, confusion_matrix; the calibration error from NumPy by its definition.
var answers = []struct {
	truth int
	probs []float32
}{
	{0, []float32{0.7, 0.2, 0.1, 0}}, {0, []float32{0.5, 0.3, 0.2, 0}}, {0, []float32{0.2, 0.61, 0.1, 0.09}},
	{0, []float32{0.9, 0.05, 0.05, 0}},
	{1, []float32{0.1, 0.78, 0.12, 0}}, {1, []float32{0.3, 0.28, 0.42, 0}}, {1, []float32{0.25, 0.5, 0.15, 0.1}},
	{2, []float32{0.05, 0.05, 0.9, 0}}, {2, []float32{0.1, 0.29, 0.61, 0}}, {2, []float32{0.45, 0.1, 0.4, 0.05}},
	{2, []float32{0.2, 0.2, 0.3, 0.3}},
	{0, []float32{0, 0.05, 0.85, 0.1}},
}

func TestReport(t *testing.T) {
	confusion := NewConfusion([]string{"a", "b", "c", "d"})
	for i, a := range answers {
		want := []int{0, 0, 1, 0, 1, 2, 1, 2, 2, 0, 2, 2}[i]
		if said := confusion.Add(a.truth, a.probs); said != want {
			t.Errorf("picture %d: said %d, want %d", i, said, want)
		}
	}
	r := confusion.Report()
	for name, pair := range map[string][2]float64{
		"accuracy": {r.Accuracy, 2.0 / 3}, "macro recall": {r.MacroRecall, 0.6722222}, "macro F1": {r.MacroF1, 2.0 / 3},
		"ECE": {r.ECE, 0.3633333},
	} {
		if math.Abs(pair[0]-pair[1]) > 1e-6 {
			t.Errorf("%s is %v, want %v", name, pair[0], pair[1])
		}
	}
	if want := [][]int{{3, 1, 1, 0}, {0, 2, 1, 0}, {1, 0, 3, 0}, {0, 0, 0, 0}}; r.N != 12 ||
		!reflect.DeepEqual(r.Confusion, want) {
		t.Errorf("%d pictures, confusion %v, want %v", r.N, r.Confusion, want)
	}
	number := func(v float64) *float64 { return &v }
	want := []Class{
		{"a", 5, number(0.75), number(0.6), 2.0 / 3},
		{"b", 3, number(2.0 / 3), number(2.0 / 3), 2.0 / 3},
		{"c", 4, number(0.6), number(0.75), 2.0 / 3},
		{"d", 0, nil, nil, 0},
	}
	if !reflect.DeepEqual(r.PerClass, want) {
		t.Errorf("classes %+v, want %+v", r.PerClass, want)
	}
}

// A classifier that is as often right as it is sure is calibrated, whatever its accuracy.
func TestCalibration(t *testing.T) {
	cases := []struct {
		name  string
		sure  float32
		right int // of 100
		want  float64
	}{
		{"calibrated", 0.75, 75, 0},
		{"too sure", 1, 60, 0.4},
		{"too shy", 0.55, 90, 0.35},
		{"never right", 0.5, 0, 0.5},
	}
	for _, c := range cases {
		confusion := NewConfusion([]string{"a", "b"})
		for i := range 100 {
			truth := 1
			if i < c.right {
				truth = 0
			}
			confusion.Add(truth, []float32{c.sure, 1 - c.sure})
		}
		if got := confusion.Report().ECE; math.Abs(got-c.want) > 1e-6 {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestNothingCounted(t *testing.T) {
	r := NewConfusion([]string{"a", "b"}).Report()
	if r.N != 0 || r.Accuracy != 0 || r.ECE != 0 || r.MacroF1 != 0 || r.PerClass[0].Recall != nil {
		t.Errorf("%+v", r)
	}
}
