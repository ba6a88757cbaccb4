package loadtest

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"mindflow/pipeline"
	"mindflow/pipeline/avdec"
	"mindflow/pipeline/vpx"
)

// cinema shows pictures of one size and luma at given times.
type cinema struct {
	width, height int
	times         []time.Duration
	lumas         []byte
	shown, closed int
	frame         pipeline.Frame
}

func (c *cinema) Next() (*pipeline.Frame, time.Duration, error) {
	if c.shown == len(c.times) {
		return nil, 0, io.EOF
	}
	c.shown++
	w, h := c.width, c.height
	c.frame = pipeline.Frame{Width: w, Height: h, YStride: w, CStride: w / 2,
		Y: filled(
			c.frame.Y,
			w*h,
			c.lumas[c.shown-1],
		), U: filled(c.frame.U, w*h/4, 128), V: filled(c.frame.V, w*h/4, 128)}
	return &c.frame, c.times[c.shown-1], nil
}

func (c *cinema) Close() error { c.closed++; return nil }

// lumas decodes units and gives the size and the luma in the middle and in the upper left corner of each frame.
func lumas(t *testing.T, units []pipeline.Unit, w, h int) (middle, corner []int) {
	t.Helper()
	decoder, err := avdec.Open(pipeline.VP8, avdec.DefaultMaxPixels)
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	for _, u := range units {
		if err := decoder.Decode(u, func(f *pipeline.Frame) {
			if f.Width != w || f.Height != h {
				t.Fatalf("a frame of %d by %d", f.Width, f.Height)
			}
			middle = append(middle, int(f.Y[h/2*f.YStride+w/2]))
			corner = append(corner, int(f.Y[0]))
		}); err != nil {
			t.Fatal(err)
		}
	}
	return middle, corner
}

// A film of another rate and shape becomes one of the rate and size asked for: frames are repeated and left out, and
// bars are black.
func TestCode(t *testing.T) {
	const ms = time.Millisecond
	film := &cinema{width: 64, height: 24, lumas: []byte{40, 90, 140, 190},
		times: []time.Duration{1000 * ms, 1210 * ms, 1215 * ms, 1300 * ms}} // a first picture need not be at 0
	done := 0
	units, err := Code(
		t.Context(),
		film,
		Coding{Width: 64, Height: 48, Rate: 10, Bitrate: 2_000_000},
		func(n int) { done = n },
	)
	if err != nil {
		t.Fatal(err)
	}
	if len(units) != 4 || done != 4 || film.closed != 1 || vpx.Live() != 0 {
		t.Fatalf("%d units, told of %d; closed %d times", len(units), done, film.closed)
	}
	middle, corner := lumas(t, units, 64, 48)
	for i, want := range []int{40, 40, 40, 190} { // at 0, 100, 200 and 300 ms
		if abs(middle[i]-want) > 12 || abs(corner[i]-16) > 12 || units[i].RTP != uint32(i*9000) ||
			units[i].Key != (i == 0) {
			t.Errorf(
				"frame %d: luma %d, want %d; in the corner %d; timestamp %d, key %v",
				i,
				middle[i],
				want,
				corner[i],
				units[i].RTP,
				units[i].Key,
			)
		}
	}
}

func abs(v int) int { return max(v, -v) }

// Key units come every two seconds, and a minute is enough.
func TestCodeLong(t *testing.T) {
	film := &cinema{width: 16, height: 16}
	for i := range 100 {
		film.times, film.lumas = append(film.times, time.Duration(i)*time.Second), append(film.lumas, byte(2*i))
	}
	units, err := Code(t.Context(), film, Coding{Width: 16, Height: 16, Rate: 5, Bitrate: 300_000}, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(units); n < 59*5 || n > 60*5 {
		t.Errorf("%d units", n)
	}
	for i := 0; i < len(units); i += 10 {
		if !units[i].Key {
			t.Errorf("unit %d is no key unit", i)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Code(ctx, film, small, func(int) {}); !errors.Is(err, context.Canceled) || film.closed != 2 ||
		vpx.Live() != 0 {
		t.Errorf("%v", err)
	}
}

// Each session begins at a key unit of its own, with timestamps that rise evenly, round the end of their 32 bits too.
func TestFrom(t *testing.T) {
	var units []pipeline.Unit
	for i := range 10 {
		units = append(units, pipeline.Unit{Data: []byte{byte(i)}, RTP: 500 + uint32(i)*3000, Key: i%4 == 0})
	}
	for n, first := range []int{0, 4, 8, 0} {
		const rtp = 1<<32 - 6000
		turned := from(units, n, rtp)
		for i, u := range turned {
			want := units[(first+i)%10]
			if &u.Data[0] != &want.Data[0] || u.Key != want.Key || u.RTP-rtp != uint32(i)*3000 {
				t.Errorf("session %d, unit %d: %+v", n, i, u)
			}
		}
	}
}

// Pictures keep their shape, and what is larger than they are is black.
func TestFit(t *testing.T) {
	for _, row := range []struct {
		name                     string
		w, h, toW, toH           int
		left, top, right, bottom int // of the picture in the result
	}{
		{"the same", 64, 48, 64, 48, 0, 0, 64, 48},
		{"wide", 64, 36, 64, 48, 0, 6, 64, 42},
		{"wide and large", 128, 72, 64, 48, 0, 6, 64, 42},
		{"high", 36, 64, 64, 48, 18, 0, 44, 48},
		{"small", 32, 24, 64, 48, 0, 0, 64, 48},
		{"odd", 33, 25, 64, 48, 0, 0, 64, 48},
		{"a line", 1000, 1, 64, 48, 0, 22, 64, 24},
	} {
		src := &pipeline.Frame{Width: row.w, Height: row.h, YStride: row.w + 3, CStride: (row.w+1)/2 + 1}
		src.Y = filled(nil, src.YStride*row.h, 200)
		src.U, src.V = filled(nil, src.CStride*((row.h+1)/2), 90), filled(nil, src.CStride*((row.h+1)/2), 60)
		var dst pipeline.Frame
		fit(&dst, src, row.toW, row.toH)
		for y := range row.toH {
			for x := range row.toW {
				y8, u8, v8 := byte(16), byte(128), byte(128)
				if x >= row.left && x < row.right && y >= row.top && y < row.bottom {
					y8, u8, v8 = 200, 90, 60
				}
				c := y/2*dst.CStride + x/2
				if dst.Y[y*dst.YStride+x] != y8 || dst.U[c] != u8 || dst.V[c] != v8 {
					t.Fatalf(
						"%s: at %d, %d: %d %d %d, want %d %d %d",
						row.name,
						x,
						y,
						dst.Y[y*dst.YStride+x],
						dst.U[c],
						dst.V[c],
						y8,
						u8,
						v8,
					)
				}
			}
		}
	}
	// Halved, a sample is the mean of four; doubled, it is repeated.
	src := plane{[]byte{0, 10, 20, 30, 40, 50, 60, 70}, 4, 4, 2}
	half, twice := plane{make([]byte, 2), 2, 2, 1}, plane{make([]byte, 32), 8, 8, 4}
	half.scale(src)
	twice.scale(src)
	if half.data[0] != 25 || half.data[1] != 45 || twice.data[2] != 10 || twice.data[3] != 10 || twice.data[8] != 0 ||
		twice.data[16] != 40 {
		t.Errorf("half %v, twice %v", half.data, twice.data)
	}
}
