package main

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"mindflow/pipeline"
)

// sample is what one way says of the clip at a moment of its own clock, in seconds.
type sample struct {
	at        float64
	shift     float64 // that align gave it, seconds
	seen      bool    // a face
	box       [4]float32
	label     string
	uncertain bool
}

// line is a message of any way: `t` of files, `rtp` of the rest.
type line struct {
	pipeline.Message
	T *float64 `json:"t"`
}

// samples puts messages on a clock that begins with the first. RTP timestamps are unwrapped.
func samples(lines []line) (list []sample) {
	for i, l := range lines {
		s := sample{}
		switch {
		case l.T != nil:
			s.at = *l.T
		case i > 0:
			s.at = list[i-1].at + float64(int32(l.RTP-lines[i-1].RTP))/90000
		}
		if len(l.Faces) > 0 { // the surest detection comes first
			f := l.Faces[0]
			s.seen, s.box, s.label, s.uncertain = true, f.Box, f.Label, f.Uncertain
		}
		list = append(list, s)
	}
	return list
}

// A live way's clock is the file's plus a shift, which changes where the way stutters: Chromium's camera
// falls behind its own timestamps when the machine is busy.
const (
	step      = 0.01 // seconds between the shifts that are tried
	maxShift  = 3.0  // seconds, either way
	boxNoise  = 0.01 // of a box's edges from one coder to another, in fractions of the frame
	outside   = 9.0  // what a sample costs that is not laid on the clip; three times the noise
	shiftCost = 20.0 // of a second by which the shift changes
)

// align lays s on the reference's clock by least squares over the boxes: it finds the shift of each sample for
// which the squared differences of the boxes, plus a cost for every change of the shift, are least (Viterbi's
// algorithm). The boxes are the detector's own, so a head that moves marks every moment, and labels have no part
// in it. Samples outside of the clip are left out.
func align(reference, s []sample) (aligned []sample, f fit) {
	const shifts = 2*maxShift/step + 1
	var cost [shifts]float64
	came := make([][shifts]int16, len(s)) // the shift before, by sample and shift
	for i, x := range s {
		if i > 0 {
			came[i] = spread(&cost)
		}
		for k := range cost {
			cost[k] += misfit(reference, x, x.at+shiftOf(k))
		}
	}
	k := slices.Index(cost[:], slices.Min(cost[:]))
	for i := len(s) - 1; i >= 0; i-- {
		x := s[i]
		x.at, x.shift = x.at+shiftOf(k), shiftOf(k)
		if misfit(reference, x, x.at) < outside {
			aligned = append(aligned, x)
		}
		k = int(came[i][k])
	}
	slices.Reverse(aligned)
	f.from, f.to = math.Inf(1), math.Inf(-1)
	sum := 0.0
	for _, x := range aligned {
		f.from, f.to = min(f.from, x.shift), max(f.to, x.shift)
		sum += misfit(reference, x, x.at)
	}
	slices.SortStableFunc(aligned, func(a, b sample) int { return cmp.Compare(a.at, b.at) })
	f.rms = boxNoise * math.Sqrt(sum/float64(max(1, len(aligned))))
	return aligned, f
}

// fit is how a way's clock lies on the file's.
type fit struct {
	from, to float64 // seconds of shift, least and most
	rms      float64 // of the boxes' edges, in fractions of the frame
}

func shiftOf(k int) float64 { return float64(k)*step - maxShift }

// spread lowers each cost to what it is by way of another shift, and says which: two sweeps suffice,
// since the cost of a change grows with its size.
func spread(cost *[2*maxShift/step + 1]float64) (came [2*maxShift/step + 1]int16) {
	for k := range cost {
		came[k] = int16(k)
		if k > 0 && cost[k-1]+shiftCost*step < cost[k] {
			cost[k], came[k] = cost[k-1]+shiftCost*step, came[k-1]
		}
	}
	for k := len(cost) - 2; k >= 0; k-- {
		if cost[k+1]+shiftCost*step < cost[k] {
			cost[k], came[k] = cost[k+1]+shiftCost*step, came[k+1]
		}
	}
	return came
}

// misfit is the mean square of how far x's box is from the reference's at a moment, over that of the noise.
func misfit(reference []sample, x sample, at float64) float64 {
	box, ok := boxAt(reference, at)
	if !ok || !x.seen {
		return outside
	}
	sum := 0.0
	for i := range box {
		d := float64(box[i]-x.box[i]) / boxNoise
		sum += d * d
	}
	return min(outside, sum/float64(len(box)))
}

// boxAt is the reference's box at a moment, between those of the two frames around it.
func boxAt(reference []sample, at float64) (box [4]float32, ok bool) {
	i := sort.Search(len(reference), func(i int) bool { return reference[i].at >= at })
	if i == 0 && at == reference[0].at {
		return reference[0].box, reference[0].seen
	}
	if i == 0 || i == len(reference) || !reference[i-1].seen || !reference[i].seen {
		return box, false
	}
	a, b := reference[i-1], reference[i]
	part := float32((at - a.at) / (b.at - a.at))
	for k := range box {
		box[k] = a.box[k] + part*(b.box[k]-a.box[k])
	}
	return box, true
}

// agreement of two ways.
type agreement struct {
	matched int // moments that both have, within half a frame
	label   int // of them with the same label; no face on either side counts as a label of its own
	shown   int // the same, with "uncertain" for labels that are
}

// compare matches the samples of a with the nearest of b, on one clock. tolerance is in seconds.
func compare(a, b []sample, tolerance float64) (g agreement) {
	for _, x := range a {
		y := nearest(b, x.at)
		if math.Abs(y.at-x.at) > tolerance {
			continue
		}
		g.matched++
		if x.label == y.label {
			g.label++
		}
		if x.label == y.label && x.uncertain == y.uncertain || x.uncertain && y.uncertain {
			g.shown++
		}
	}
	return g
}

func nearest(s []sample, at float64) sample {
	i, _ := slices.BinarySearchFunc(s, at, func(x sample, at float64) int {
		if x.at < at {
			return -1
		}
		return 1
	})
	switch {
	case i == 0:
		return s[0]
	case i == len(s) || at-s[i-1].at < s[i].at-at:
		return s[i-1]
	}
	return s[i]
}
