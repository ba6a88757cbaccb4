package evaluate

import "math"

// Confusion counts a classifier's predictions by class.
type Confusion struct {
	labels []string
	counts [][]int // of pictures, by true class, then by predicted class
	bins   [bins]bin
}

// bins is the number of bins of the expected calibration error, of equal width in the confidence.
const bins = 15

type bin struct {
	n, right   int
	confidence float64 // sum
}

// NewConfusion returns an empty matrix.
func NewConfusion(labels []string) *Confusion {
	t := &Confusion{labels: labels, counts: make([][]int, len(labels))}
	for i := range t.counts {
		t.counts[i] = make([]int, len(labels))
	}
	return t
}

// Add counts one picture of class truth with the classifier's probabilities, one for each label. It returns the
// predicted class: the likeliest, and the first of equals.
func (t *Confusion) Add(truth int, probs []float32) (predicted int) {
	for i, p := range probs {
		if p > probs[predicted] {
			predicted = i
		}
	}
	t.counts[truth][predicted]++
	confidence := float64(probs[predicted])
	b := &t.bins[max(0, min(int(math.Ceil(confidence*bins))-1, bins-1))]
	b.n++
	b.confidence += confidence
	if predicted == truth {
		b.right++
	}
	return predicted
}

// Report holds the metrics of a classifier. Means over classes leave out those without a picture. Shares are 0..1.
type Report struct {
	N           int     `json:"n"` // pictures
	Accuracy    float64 `json:"accuracy"`
	MacroRecall float64 `json:"macro_recall"` // mean over the classes; also called balanced accuracy
	MacroF1     float64 `json:"macro_f1"`     // likewise
	// ECE is the expected calibration error over 15 bins of equal width: by how much confidence and
	// accuracy differ (Guo et al., arXiv 1706.04599, section 2).
	ECE       float64 `json:"ece"`
	PerClass  []Class `json:"per_class"`
	Confusion [][]int `json:"confusion"` // pictures by true class, then by predicted class, in the order of per_class
}

// Class holds the metrics of one class.
type Class struct {
	Label     string   `json:"label"`
	N         int      `json:"n"`         // pictures of it
	Precision *float64 `json:"precision"` // nil where it was never predicted
	Recall    *float64 `json:"recall"`    // nil without a picture
	F1        float64  `json:"f1"`        // harmonic mean of the two, zero where either is nil or both are zero
}

// Report returns the metrics. All shares are zero where nothing was counted.
func (t *Confusion) Report() Report {
	r := Report{Confusion: t.counts, PerClass: make([]Class, len(t.labels))}
	predicted, right, present := make([]int, len(t.labels)), 0, 0
	for truth, row := range t.counts {
		right += row[truth]
		for i, n := range row {
			r.PerClass[truth].N += n
			predicted[i] += n
		}
		r.N += r.PerClass[truth].N
	}
	for i := range r.PerClass {
		c := &r.PerClass[i]
		c.Label = t.labels[i]
		c.Precision, c.Recall = share(t.counts[i][i], predicted[i]), share(t.counts[i][i], c.N)
		if c.N == 0 {
			continue
		}
		c.F1 = 2 * float64(t.counts[i][i]) / float64(c.N+predicted[i])
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
