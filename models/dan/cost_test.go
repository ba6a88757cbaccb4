package dan

import (
	"fmt"
	"testing"
)

// TestCosts holds the figures of models/README.md, "What it costs and keeps", which were counted from two graphs.
func TestCosts(t *testing.T) {
	for size, want := range map[int]string{
		96:  "19.72 and 16.56 million parameters, 0.409 and 0.380 billion multiplications",
		224: "19.72 and 16.56 million parameters, 2.228 and 2.071 billion multiplications",
	} {
		drawn, built := Costs(4, 8, size)
		got := fmt.Sprintf("%.2f and %.2f million parameters, %.3f and %.3f billion multiplications",
			float64(drawn.Parameters)/1e6, float64(built.Parameters)/1e6, float64(drawn.MACs)/1e9,
			float64(built.MACs)/1e9)
		if got != want {
			t.Errorf("at %d: %s; want %s", size, got, want)
		}
	}
	_, built := Costs(1, 7, 224)
	if _, summary, err := Build(blank(1, 7), FP32); err != nil || summary.Parameters != built.Parameters {
		t.Errorf("the graph stores %d parameters, %d are counted: %v", summary.Parameters, built.Parameters, err)
	}
}
