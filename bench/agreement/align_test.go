package main

import (
	"math"
	"math/rand/v2"
	"testing"

	"mindflow/pipeline"
)

const rate = 24.0

// head is where a face is that moves about, and what it shows.
func head(at float64) sample {
	x := 0.3 + 0.1*math.Sin(at) + 0.03*math.Sin(3.7*at)
	y := 0.3 + 0.05*math.Cos(1.3*at)
	label := "neutral"
	if math.Mod(at, 5) > 3 {
		label = "happy"
	}
	return sample{at: at, seen: true, box: [4]float32{float32(x), float32(y), 0.3, 0.4}, label: label}
}

func clip(seconds float64) (list []sample) {
	for i := range int(seconds * rate) {
		list = append(list, head(float64(i)/rate))
	}
	return list
}

// played is the clip as a camera gives it whose clock differs from the file's by lag: the detector's
// noise is on its boxes.
func played(from, to float64, lag func(at float64) float64) (list []sample) {
	random := rand.New(rand.NewPCG(1, 2))
	for at := from; at < to; at += 1 / rate {
		s := head(at)
		for i := range s.box {
			s.box[i] += float32(0.003 * random.NormFloat64())
		}
		s.at = at - from + lag(at)
		list = append(list, s)
	}
	return list
}

func TestAlign(t *testing.T) {
	reference := clip(20)
	for name, row := range map[string]struct {
		from float64
		lag  func(at float64) float64
	}{
		"at once":                 {0, func(float64) float64 { return 0 }},
		"first second missed":     {1, func(float64) float64 { return 0 }},
		"clock runs ahead":        {0.5, func(at float64) float64 { return 0.07 * at }},
		"stops for half a second": {0.2, func(at float64) float64 { return 0.5 * min(1, max(0, at-8)) }},
	} {
		t.Run(name, func(t *testing.T) {
			aligned, f := align(reference, played(row.from, 19.9, row.lag))
			if f.rms > 0.01 || len(aligned) < int(17*rate) {
				t.Fatalf("%d samples fit, boxes differ by %.4f", len(aligned), f.rms)
			}
			off := 0
			for _, s := range aligned {
				if want := head(s.at); math.Abs(float64(want.box[0]-s.box[0])) > 0.015 {
					off++
				}
			}
			if off > len(aligned)/20 {
				t.Errorf("%d of %d samples are out of place", off, len(aligned))
			}
			if g := compare(aligned, reference, 0.5/rate); g.matched < len(aligned)*9/10 || g.label < g.matched*95/100 {
				t.Errorf("%d of %d agree, of %d", g.label, g.matched, len(aligned))
			}
		})
	}
}

// Labels that differ are counted whatever the boxes say, and a face on one side alone is no agreement.
func TestCompare(t *testing.T) {
	a, b := clip(20), clip(20)
	for i := range b {
		switch i % 4 {
		case 0:
			b[i].label = "fear"
		case 1:
			a[i].uncertain, b[i].uncertain = true, true
			b[i].label = "anger"
		case 2:
			b[i] = sample{at: b[i].at}
		}
	}
	want := agreement{matched: len(a), label: len(a) / 4, shown: len(a) / 2}
	if got := compare(a, b, 0.5/rate); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := compare(a, b[:len(b)/2], 0.5/rate); got.matched != len(b)/2 {
		t.Errorf("%d matched of the %d that both have", got.matched, len(b)/2)
	}
}

// RTP timestamps wrap and need not come in order.
func TestSamples(t *testing.T) {
	at := func(rtp uint32) line { return line{Message: pipeline.Message{RTP: rtp}} }
	got := samples([]line{at(math.MaxUint32 - 44_999), at(45_000), at(0)})
	if got[0].at != 0 || got[1].at != 1 || got[2].at != 0.5 {
		t.Errorf("%v", got)
	}
}
