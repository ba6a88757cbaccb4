package pipeline

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Constants of the tracker, chosen on synthetic crossings (tracker_test.go) and the detectors' jitter.
const (
	trackMemory   = time.Second // a face that is unseen for longer has left
	trackGate     = 1.0         // largest distance of a match, in face sizes
	positionTime  = 40 * time.Millisecond
	velocityTime  = 400 * time.Millisecond
	velocityDecay = 700 * time.Millisecond // a hidden face is expected to slow down
)

// track is one face over time: a constant-velocity filter on its centre and size.
type track struct {
	id         uint64
	x, y       float64 // centre, in frame heights
	vx, vy     float64 // frame heights a second
	size       float64 // square root of the area, in frame heights
	seen       time.Time
	predX      float64 // expected centre in the present frame
	predY      float64
	overlaps   bool // another track's face is expected to overlap this one
	appearance appearance
	smoother   smoother

	attention Attention // of the latest scores
}

// Tracker gives each face an id that stays the same while the face stays. One goroutine owns it.
type Tracker struct {
	tracks []*track
	nextID uint64
	pairs  []pair
	used   []bool
}

// pair is a possible match.
type pair struct {
	face, track int
	cost        float64
}

// update matches the faces of a frame at time now and appends the track of each to dst. aspect is the frame's width
// over its height.
func (t *Tracker) update(dst []*track, faces []Face, aspect float64, now time.Time) []*track {
	t.tracks = slices.DeleteFunc(t.tracks, func(k *track) bool { return now.Sub(k.seen) > trackMemory })
	for _, k := range t.tracks {
		k.predict(now)
	}
	t.markOverlaps()
	t.rankPairs(faces, aspect)

	start := len(dst)
	for range faces {
		dst = append(dst, nil)
	}
	assigned := dst[start:]
	t.used = grow(t.used, len(t.tracks))
	clear(t.used)
	for _, p := range t.pairs {
		if assigned[p.face] != nil || t.used[p.track] {
			continue
		}
		t.used[p.track] = true
		assigned[p.face] = t.tracks[p.track]
		assigned[p.face].correct(faces[p.face].Box, aspect, now)
	}
	for i := range assigned {
		if assigned[i] == nil {
			assigned[i] = t.add(faces[i].Box, aspect, now)
		}
	}
	return dst
}

// rankPairs lists the possible matches, cheapest first. The cost is the distance from the expected centre, in face
// sizes, plus half the logarithm of the ratio of sizes.
func (t *Tracker) rankPairs(faces []Face, aspect float64) {
	t.pairs = t.pairs[:0]
	for i := range faces {
		x, y, size := inHeights(faces[i].Box, aspect)
		for j, k := range t.tracks {
			scale := math.Sqrt(size * k.size)
			distance := math.Hypot(x-k.predX, y-k.predY) / scale
			if distance > trackGate {
				continue
			}
			t.pairs = append(t.pairs, pair{i, j, distance + 0.5*math.Abs(math.Log(size/k.size))})
		}
	}
	slices.SortFunc(t.pairs, func(a, b pair) int { return cmp.Compare(a.cost, b.cost) })
}

// markOverlaps finds tracks whose faces are expected to overlap in this frame. While they do, the detector may find one
// box for both, so their velocities stay as they were before.
func (t *Tracker) markOverlaps() {
	for _, a := range t.tracks {
		a.overlaps = false
		for _, b := range t.tracks {
			if a != b && math.Hypot(a.predX-b.predX, a.predY-b.predY) < (a.size+b.size)/2 {
				a.overlaps = true
			}
		}
	}
}

// forgetScores forgets the scores of all faces, and keeps their ids and positions.
func (t *Tracker) forgetScores() {
	for _, k := range t.tracks {
		k.smoother = smoother{}
		k.appearance.classified = false
	}
}

// add starts a track.
func (t *Tracker) add(b Box, aspect float64, now time.Time) *track {
	t.nextID++
	k := &track{id: t.nextID, seen: now}
	k.x, k.y, k.size = inHeights(b, aspect)
	t.tracks = append(t.tracks, k)
	return k
}

// predict sets the expected centre at now.
func (k *track) predict(now time.Time) {
	dt := now.Sub(k.seen).Seconds()
	if !k.overlaps { // a single face that is not seen has stopped or turned away
		tau := velocityDecay.Seconds()
		dt = tau * (1 - math.Exp(-dt/tau))
	}
	k.predX, k.predY = k.x+k.vx*dt, k.y+k.vy*dt
}

// correct updates the track by the face's box at now, after predict.
func (k *track) correct(b Box, aspect float64, now time.Time) {
	x, y, size := inHeights(b, aspect)
	dt := now.Sub(k.seen).Seconds()
	errX, errY := x-k.predX, y-k.predY
	gain := blendGain(dt, positionTime)
	k.x, k.y = k.predX+gain*errX, k.predY+gain*errY
	if dt > 0 && !k.overlaps {
		gain = blendGain(dt, velocityTime)
		k.vx += gain * errX / dt
		k.vy += gain * errY / dt
	}
	k.size += blendGain(dt, velocityTime) * (size - k.size)
	k.seen = now
}

// blendGain returns the weight of a new value in an exponential moving average with time constant tau.
func blendGain(dt float64, tau time.Duration) float64 { return 1 - math.Exp(-dt/tau.Seconds()) }

// inHeights returns a box's centre and size in frame heights, where x and y have the same scale.
func inHeights(b Box, aspect float64) (x, y, size float64) {
	c := b.Center()
	area := float64(b.W) * aspect * float64(b.H)
	return float64(c.X) * aspect, float64(c.Y), math.Sqrt(max(area, 1e-8))
}
