package evaluate

import "math"

// Confusion counts a classifier's answers.
type Confusion struct {
	labels []string
	counts [][]int // of pictures, by true class, then by the class that was said
	bins   [bins]bin
}

// bins are those of the expected calibration error: of equal width in the confidence.
const bins = 15

type bin struct {
	n, right   int
	confidence float64 // sum
}

// NewConfusion starts with no picture.
func NewConfusion(labels []string) *Confusion {
	t := &Confusion{labels: labels, counts: make([][]int, len(labels))}
	for i := range t.counts {
		t.counts[i] = make([]int, len(labels))
	}
	return t
}

// Add counts one picture of class truth, of which the classifier gave probs, one a label, and returns the
// class it said: the likeliest, the first of equals.
func (t *Confusion) Add(truth int, probs []float32) (said int) {
	for i, p := range probs {
		if p > probs[said] {
			said = i
		}
	}
	t.counts[truth][said]++
	confidence := float64(probs[said])
	b := &t.bins[max(0, min(int(math.Ceil(confidence*bins))-1, bins-1))]
	b.n++
	b.confidence += confidence
	if said == truth {
		b.right++
	}
	return said
}

// Report is what a confusion comes to. Means over classes leave out those without a picture. Shares are 0..1.
type Report struct {
	N           int     `json:"n"` // pictures
	Accuracy    float64 `json:"accuracy"`
	MacroRecall float64 `json:"macro_recall"` // mean over the classes; also called balanced accuracy
	MacroF1     float64 `json:"macro_f1"`     // likewise
	// ECE is the expected calibration error over 15 bins of equal width: by how much confidence and
	// accuracy differ (Guo et al., arXiv 1706.04599, section 2).
	ECE       float64 `json:"ece"`
	PerClass  []Class `json:"per_class"`
	Confusion [][]int `json:"confusion"` // pictures by true class, then by the class that was said, as in per_class
}

// Class is how one class does.
type Class struct {
	Label     string   `json:"label"`
	N         int      `json:"n"`         // pictures of it
	Precision *float64 `json:"precision"` // nil where it was never said
	Recall    *float64 `json:"recall"`    // nil where no picture is of it
	F1        float64  `json:"f1"`        // harmonic mean of the two, 0 where either is nil or both are 0
}

// Report sums up. It fills no share when nothing was counted.
func (t *Confusion) Report() Report {
	r := Report{Confusion: t.counts, PerClass: make([]Class, len(t.labels))}
	said, right, present := make([]int, len(t.labels)), 0, 0
	for truth, row := range t.counts {
		right += row[truth]
		for i, n := range row {
			r.PerClass[truth].N += n
			said[i] += n
		}
		r.N += r.PerClass[truth].N
	}
	for i := range r.PerClass {
		c := &r.PerClass[i]
		c.Label = t.labels[i]
		c.Precision, c.Recall = share(t.counts[i][i], said[i]), share(t.counts[i][i], c.N)
		if c.N == 0 {
			continue
		}
		c.F1 = 2 * float64(t.counts[i][i]) / float64(c.N+said[i])
		present++
		r.MacroRecall += *c.Recall
		r.MacroF1 += c.F1
	}
	if r.N == 0 {
		return r
	}
	r.Accuracy = float64(right) / float64(r.N)
	r.MacroRecall /= float64(present)
	r.MacroF1 /= float64(present)
	for _, b := range t.bins {
		r.ECE += math.Abs(float64(b.right)-b.confidence) / float64(r.N)
	}
	return r
}

func share(part, whole int) *float64 {
	if whole == 0 {
		return nil
	}
	s := float64(part) / float64(whole)
	return &s
}
