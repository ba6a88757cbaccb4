package main

import (
	"math"
	"slices"
	"sort"

	"mindflow/pipeline"
)

// sample is what one way says of the clip at a moment of its own clock, in seconds.
type sample struct {
	at        float64
	seen      bool // a face
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

const (
	coarse = 0.02  // seconds, half a frame: steps of the search for the shift
	fine   = 0.001 // seconds: its end
)

// fit is how a way's clock lies on the file's.
type fit struct {
	shift float64 // seconds to add
	rms   float64 // of the boxes' edges, in fractions of the frame
}

// align finds the shift, between from and to, at which the boxes of s lie nearest to those of the
// reference, by least squares. The boxes are the detector's own, so a head that moves marks every moment,
// and labels have no part in it. Ten seconds of s have to overlap.
func align(reference, s []sample, from, to float64) fit {
	best := fit{rms: math.Inf(1)}
	search := func(from, to, step float64) {
		for shift := from; shift <= to; shift += step {
			if rms := misfit(reference, s, shift); rms < best.rms {
				best = fit{shift, rms}
			}
		}
	}
	search(from, to, coarse)
	search(best.shift-coarse, best.shift+coarse, fine)
	return best
}

// overlapAtLeast is what align wants, in seconds: shorter ones fit by chance.
const overlapAtLeast = 10

func misfit(reference, s []sample, shift float64) float64 {
	sum, n := 0.0, 0
	first, last := math.Inf(1), math.Inf(-1)
	for _, x := range s {
		box, ok := boxAt(reference, x.at+shift)
		if !ok || !x.seen {
			continue
		}
		for i := range box {
			d := float64(box[i] - x.box[i])
			sum += d * d
		}
		n += len(box)
		first, last = min(first, x.at), max(last, x.at)
	}
	if last-first < overlapAtLeast {
		return math.Inf(1)
	}
	return math.Sqrt(sum / float64(n))
}

// boxAt is the reference's box at a moment, between those of the two frames around it.
func boxAt(reference []sample, at float64) (box [4]float32, ok bool) {
	i := sort.Search(len(reference), func(i int) bool { return reference[i].at >= at })
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

// shifted puts s on the reference's clock and leaves out what lies outside of the clip.
func shifted(s []sample, shift, length float64) (list []sample) {
	for _, x := range s {
		x.at += shift
		if x.at >= 0 && x.at <= length {
			list = append(list, x)
		}
	}
	return list
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
