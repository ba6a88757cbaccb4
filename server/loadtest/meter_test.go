package loadtest

import (
	"math"
	"testing"

	"mindflow/pipeline"
)

// The ages of all faces of all messages are counted, once counting began; a server may say any number.
func TestMeterAges(t *testing.T) {
	var m meter
	aged := func(ages ...float64) *pipeline.Message {
		message := &pipeline.Message{}
		for _, ms := range ages {
			message.Faces = append(message.Faces, pipeline.Label{AgeMS: ms})
		}
		return message
	}
	m.label(aged(1))
	m.count(true)
	m.label(aged())
	m.label(aged(100, 200))
	m.label(aged(300))
	m.count(false)
	m.label(aged(1))
	var sum total
	m.read(sum.add)
	f := sum.figures(1)
	if m.tally.ages.count != 3 || math.Abs(*f.AgeP50-200) > 1 || math.Abs(*f.AgeP95-300) > 1.5 {
		t.Errorf("%d ages, %+v", m.tally.ages.count, f)
	}
	m.count(true)
	m.label(aged(-1, 1e300, math.Inf(1)))
	if d := &m.tally.ages; d.buckets[0] != 1 || d.buckets[len(d.buckets)-1] != 2 {
		t.Error("ages out of range are not at the ends")
	}
}
