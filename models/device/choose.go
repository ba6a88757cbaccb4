package device

import (
	"context"
	"errors"
	"fmt"
	"math"

	"mindflow/pipeline/ort"
)

// Report is what a device computed for pictures by formula, and how fast.
type Report struct {
	Millis float64     `json:"millis"` // for a detection and a batch; on the CPU divided by those at once
	Scores [][]float32 `json:"scores"` // probabilities, by face
	Boxes  [][]float32 `json:"boxes"`  // by face: x, y, w, h in fractions of the frame, and the score
}

// Tolerances of a device's results against the CPU's. Convolutions in TF32 or half precision change probabilities by
// thousandths.
const (
	scoreTolerance = 0.02 // of a probability
	boxTolerance   = 0.01 // of the frame's side
	foundTolerance = 0.05 // of a detection's score
)

// Difference returns how the results differ from the CPU's by more than the tolerance, or "".
func (r Report) Difference(cpu Report) string {
	if len(r.Scores) != len(cpu.Scores) || len(r.Boxes) != len(cpu.Boxes) {
		return fmt.Sprintf("it finds %d faces and scores %d, the CPU %d and %d", len(r.Boxes), len(r.Scores),
			len(cpu.Boxes), len(cpu.Scores))
	}
	for i, scores := range r.Scores {
		if d := distance(scores, cpu.Scores[i]); !(d <= scoreTolerance) { // also for NaN
			return fmt.Sprintf("a probability is %.3g from the CPU's", d)
		}
	}
	for i, box := range r.Boxes {
		last := len(box) - 1
		if last != 4 || len(cpu.Boxes[i]) != len(box) {
			return "its boxes are not of four numbers and a score"
		}
		if d := distance(box[:last], cpu.Boxes[i][:last]); !(d <= boxTolerance) {
			return fmt.Sprintf("a box is %.3g of the frame from the CPU's", d)
		}
		if d := distance(box[last:], cpu.Boxes[i][last:]); !(d <= foundTolerance) {
			return fmt.Sprintf("the score of a face is %.3g from the CPU's", d)
		}
	}
	return ""
}

// distance returns the largest difference, and NaN where a value is NaN.
func distance(a, b []float32) float64 {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	most := 0.0
	for i := range a {
		d := math.Abs(float64(a[i]) - float64(b[i]))
		if math.IsNaN(d) {
			return d
		}
		most = max(most, d)
	}
	return most
}

// Prober has a device analyse the pictures by formula, in a process that may crash. The error is a *Fault where the
// cause is known.
type Prober func(ctx context.Context, d ort.Device) (Report, error)

// Choice is the result of Choose.
type Choice struct {
	Device ort.Device
	Notes  []string // what was skipped and why, and last what was taken
}

// Choose returns the fastest device of the candidates and the CPU, among those with the CPU's results. inspect finds
// what is obviously missing.
func Choose(ctx context.Context, candidates []ort.Device, inspect func(ort.Device) Findings, probe Prober) Choice {
	var c Choice
	skip := func(d ort.Device, why any) { c.Notes = append(c.Notes, fmt.Sprintf("%s skipped: %v", d, why)) }
	var present []ort.Device
	for _, d := range candidates {
		if fault := absent(d, inspect(d)); fault != nil {
			skip(d, fault.Cause)
			continue
		}
		present = append(present, d)
	}
	if len(present) == 0 {
		c.Notes = append(c.Notes, "cpu taken: there is nothing else to try")
		return c
	}
	cpu, err := probe(ctx, ort.Device{})
	if err != nil {
		c.Notes = append(c.Notes,
			fmt.Sprintf("cpu taken: it could not be tried, so that there is nothing to compare with: %v", err))
		return c
	}
	best := cpu.Millis
	for _, d := range present {
		r, err := probe(ctx, d)
		var fault *Fault
		if errors.As(err, &fault) {
			skip(d, fault.Cause)
			continue
		}
		if err != nil {
			skip(d, err)
			continue
		}
		if difference := r.Difference(cpu); difference != "" {
			skip(d, difference)
			continue
		}
		if r.Millis >= best {
			skip(d, fmt.Sprintf("%.3g ms for a detection and a batch, %s %.3g", r.Millis, c.Device, best))
			continue
		}
		if c.Device.Provider != "" {
			skip(c.Device, fmt.Sprintf("%.3g ms for a detection and a batch, %s %.3g", best, d, r.Millis))
		}
		c.Device, best = d, r.Millis
	}
	c.Notes = append(c.Notes,
		fmt.Sprintf("%s taken: %.3g ms for a detection and a batch, the CPU %.3g", c.Device, best, cpu.Millis))
	return c
}
