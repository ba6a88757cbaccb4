package loadtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"mindflow/pipeline"
	"mindflow/pipeline/vpx"
)

const (
	// MaxClip is how much of a clip is used, since the encoded clip is kept in memory.
	MaxClip   = time.Minute
	keyframes = 2 * time.Second // from one to the next
	clockRate = 90000           // of RTP
)

// Coding is how a clip is encoded.
type Coding struct {
	Width, Height int     // pixels, even; pictures of another shape get bars
	Rate          float64 // frames a second; others are repeated or left out
	Bitrate       int     // bit/s
}

// Code encodes a film as VP8, once for all sessions, with a key unit every two seconds. It closes the film. progress is
// called with the number of encoded frames.
func Code(
	ctx context.Context, film pipeline.Video, c Coding, progress func(frames int),
) (units []pipeline.Unit, err error) {
	defer func() { err = errors.Join(err, film.Close()) }()
	encoder, err := vpx.Open(c.Width, c.Height, c.Bitrate)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, encoder.Close()) }()
	w := &coder{Coding: c, encoder: encoder, progress: progress}
	for {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		f, at, err := film.Next()
		switch {
		case errors.Is(err, io.EOF):
			return w.units, w.until(w.next()) // the last picture, once
		case err != nil:
			return nil, err
		case at >= MaxClip:
			return w.units, nil
		}
		if !w.begun {
			w.began, w.begun = at, true
		} else if err := w.until(at - w.began - 1); err != nil {
			return nil, err
		}
		fit(&w.picture, f, c.Width, c.Height)
	}
}

// coder encodes pictures at a constant rate.
type coder struct {
	Coding
	encoder  *vpx.Encoder
	progress func(frames int)
	began    time.Duration // of the first picture
	begun    bool
	picture  pipeline.Frame // the newest
	units    []pipeline.Unit
}

// next returns the time of the next unit.
func (w *coder) next() time.Duration {
	return time.Duration(float64(len(w.units)) / w.Rate * float64(time.Second))
}

// until encodes the newest picture for each unit that is due up to a time.
func (w *coder) until(end time.Duration) error {
	for ; w.begun && w.next() <= end; w.progress(len(w.units)) {
		n := len(w.units)
		w.picture.RTP = uint32(math.Round(float64(n) / w.Rate * clockRate))
		w.picture.Arrived = time.Time{}.Add(w.next()) // the encoder's clock
		every := max(1, int(math.Round(keyframes.Seconds()*w.Rate)))
		unit, err := w.encoder.Encode(&w.picture, n%every == 0)
		if err != nil {
			return fmt.Errorf("code frame %d of the clip: %w", n, err)
		}
		w.units = append(w.units, unit)
	}
	return nil
}

// from returns the units from the n-th key unit on, followed by those before it, with timestamps that begin at rtp. It
// shares the units' data.
func from(units []pipeline.Unit, n int, rtp uint32) []pipeline.Unit {
	var keys []int
	for i, u := range units {
		if u.Key {
			keys = append(keys, i)
		}
	}
	first := keys[n%len(keys)]
	turned := make([]pipeline.Unit, 0, len(units))
	turned = append(append(turned, units[first:]...), units[:first]...)
	for i := range turned {
		turned[i].RTP = units[i].RTP - units[0].RTP + rtp
	}
	return turned
}
