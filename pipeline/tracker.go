package pipeline

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Constants of the tracker, chosen on synthetic crossings (tracker_test.go) and the detector's own jitter.
const (
	trackMemory   = time.Second // a face unseen for longer is gone
	trackGate     = 1.0         // farthest match, in face sizes
	positionTime  = 40 * time.Millisecond
	velocityTime  = 400 * time.Millisecond
	velocityDecay = 700 * time.Millisecond // a hidden face is expected to slow down
)

// track is one face over time: a constant-velocity filter on its centre and size.
type track struct {
	id       uint64
	x, y     float64 // centre, in frame heights
	vx, vy   float64 // frame heights a second
	size     float64 // square root of the area, in frame heights
	seen     time.Time
	predX    float64 // where it should be in the present frame
	predY    float64
	crowded  bool // another track's face overlaps where this one should be
	look     look
	smoother smoother

	attention Attention // of the latest scores
}

// Tracker gives faces ids that stay while a face stays. It is owned by one goroutine.
type Tracker struct {
	tracks []*track
	nextID uint64
	pairs  []pair
	used   []bool
}

type pair struct {
	face, track int
	cost        float64
}

// update matches the faces of a frame of the given shape (width over height) at time now and returns
// the track of each. The slice is valid until the next call.
func (t *Tracker) update(dst []*track, faces []Face, aspect float64, now time.Time) []*track {
	t.tracks = slices.DeleteFunc(t.tracks, func(k *track) bool { return now.Sub(k.seen) > trackMemory })
	for _, k := range t.tracks {
		k.predict(now)
	}
	t.markCrowded()
	t.rank(faces, aspect)

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
			assigned[i] = t.begin(faces[i].Box, aspect, now)
		}
	}
	return dst
}

// rank lists the possible matches, cheapest first: the distance from where the face was expected, in
// face sizes, plus how much its size differs.
func (t *Tracker) rank(faces []Face, aspect float64) {
	t.pairs = t.pairs[:0]
	for i := range faces {
		x, y, size := inHeights(faces[i].Box, aspect)
		for j, k := range t.tracks {
			scale := math.Sqrt(size * k.size)
			far := math.Hypot(x-k.predX, y-k.predY) / scale
			if far > trackGate {
				continue
			}
			t.pairs = append(t.pairs, pair{i, j, far + 0.5*math.Abs(math.Log(size/k.size))})
		}
	}
	slices.SortFunc(t.pairs, func(a, b pair) int { return cmp.Compare(a.cost, b.cost) })
}

// markCrowded finds tracks whose faces should overlap in this frame. While they do, the detector may
// give one box for both, so their velocities are left as they were before they met.
func (t *Tracker) markCrowded() {
	for _, a := range t.tracks {
		a.crowded = false
		for _, b := range t.tracks {
			if a != b && math.Hypot(a.predX-b.predX, a.predY-b.predY) < (a.size+b.size)/2 {
				a.crowded = true
			}
		}
	}
}

// forgetScores leaves faces where they are and forgets what was said of them.
func (t *Tracker) forgetScores() {
	for _, k := range t.tracks {
		k.smoother = smoother{}
		k.look.scored = false
	}
}

// carry takes a face of the latest detection to be at b in the frame at now.
func (t *Tracker) carry(k *track, b Box, aspect float64, now time.Time) {
	k.predict(now)
	k.correct(b, aspect, now)
}

func (t *Tracker) begin(b Box, aspect float64, now time.Time) *track {
	t.nextID++
	k := &track{id: t.nextID, seen: now}
	k.x, k.y, k.size = inHeights(b, aspect)
	t.tracks = append(t.tracks, k)
	return k
}

func (k *track) predict(now time.Time) {
	dt := now.Sub(k.seen).Seconds()
	if !k.crowded { // a face alone that is not seen has stopped or turned away, it is not flying on
		tau := velocityDecay.Seconds()
		dt = tau * (1 - math.Exp(-dt/tau))
	}
	k.predX, k.predY = k.x+k.vx*dt, k.y+k.vy*dt
}

func (k *track) correct(b Box, aspect float64, now time.Time) {
	x, y, size := inHeights(b, aspect)
	dt := now.Sub(k.seen).Seconds()
	errX, errY := x-k.predX, y-k.predY
	gain := blendGain(dt, positionTime)
	k.x, k.y = k.predX+gain*errX, k.predY+gain*errY
	if dt > 0 && !k.crowded {
		gain = blendGain(dt, velocityTime)
		k.vx += gain * errX / dt
		k.vy += gain * errY / dt
	}
	k.size += blendGain(dt, velocityTime) * (size - k.size)
	k.seen = now
}

// blendGain is the weight of a new value in a running mean with time constant tau.
func blendGain(dt float64, tau time.Duration) float64 { return 1 - math.Exp(-dt/tau.Seconds()) }

// inHeights gives a box's centre and size in frame heights, where x and y have the same scale.
func inHeights(b Box, aspect float64) (x, y, size float64) {
	c := b.Center()
	area := float64(b.W) * aspect * float64(b.H)
	return float64(c.X) * aspect, float64(c.Y), math.Sqrt(max(area, 1e-8))
}
