package device

import (
	"context"
	"errors"
	"fmt"
	"math"

	"mindflow/pipeline/ort"
)

// Report is what a device answered to pictures by formula, and how fast.
type Report struct {
	Millis float64     `json:"millis"` // a detection and a batch, warm; on the CPU over as many as run at once
	Scores [][]float32 `json:"scores"` // probabilities, by face
	Boxes  [][]float32 `json:"boxes"`  // x, y, w, h as fractions of the frame, and the score, by face found
}

// How far a device's answers may be from the CPU's. Convolutions in TF32 or half precision move probabilities by
// thousandths.
const (
	scoreTolerance = 0.02 // of a probability
	boxTolerance   = 0.01 // of the frame's side
	foundTolerance = 0.05 // of a detection's score
)

// Apart says how the answers differ from the CPU's by more than the tolerance, or "".
func (r Report) Apart(cpu Report) string {
	if len(r.Scores) != len(cpu.Scores) || len(r.Boxes) != len(cpu.Boxes) {
		return fmt.Sprintf("it finds %d faces and scores %d, the CPU %d and %d", len(r.Boxes), len(r.Scores),
			len(cpu.Boxes), len(cpu.Scores))
	}
	for i, scores := range r.Scores {
		if d := distance(scores, cpu.Scores[i]); !(d <= scoreTolerance) { // also what is not a number
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

// distance is the largest difference, and not a number where one is none.
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

// Prober has a device analyse the pictures by formula, in a process that it may take down. The error is a *Fault
// where the cause is known.
type Prober func(ctx context.Context, d ort.Device) (Report, error)

// Choice is the outcome of Choose.
type Choice struct {
	Device ort.Device
	Notes  []string // what was skipped and why, then what was taken
}

// Choose gives the fastest of the candidates and the CPU, of those that answer as the CPU does. look tells what is
// plainly missing.
func Choose(ctx context.Context, candidates []ort.Device, look func(ort.Device) Findings, probe Prober) Choice {
	var c Choice
	skip := func(d ort.Device, why any) { c.Notes = append(c.Notes, fmt.Sprintf("%s skipped: %v", d, why)) }
	var worth []ort.Device
	for _, d := range candidates {
		if fault := absent(d, look(d)); fault != nil {
			skip(d, fault.Cause)
			continue
		}
		worth = append(worth, d)
	}
	if len(worth) == 0 {
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
	for _, d := range worth {
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
		if apart := r.Apart(cpu); apart != "" {
			skip(d, apart)
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
