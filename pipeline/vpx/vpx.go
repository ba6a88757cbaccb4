// Package vpx encodes live video as VP8 with libvpx, through a small C bridge. mediadevices 0.6.4 has such an encoder
// too, but its clock restarts every second (fixed upstream in pion/mediadevices#606, for Pion v4). So its rate
// control uses wrong times, and newer libvpx refuses a frame whose time is before the first one's. It also has no
// option for speed.
package vpx

/*
#cgo pkg-config: vpx
#include "bridge.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"

	"mindflow/pipeline"
)

// Limits of Open. A side has 14 bits in a VP8 key frame: RFC 6386, section 9.1.
const (
	MaxSide    = 16383
	MinBitrate = 30_000     // bit/s
	MaxBitrate = 50_000_000 // bit/s
)

var live atomic.Int64

// Live returns the number of open encoders, each with memory in C.
func Live() int64 { return live.Load() }

// Version returns the version of libvpx.
func Version() string { return C.GoString(C.vpxenc_version()) }

// Encoder encodes frames of one size. One goroutine owns it.
type Encoder struct {
	c             *C.struct_vpxenc // nil when closed
	width, height int
	began         time.Time // of the first frame
	pts           int64     // of the latest frame, in ticks of 90 kHz
	started       bool
	limited       pipeline.Frame // the copy of a full-range frame, in limited range
}

// Open returns an encoder for frames of width by height pixels, at about bitrate bit/s at any frame rate. Close frees
// its C memory.
func Open(width, height, bitrate int) (*Encoder, error) {
	switch {
	case width < 1 || height < 1 || width > MaxSide || height > MaxSide:
		return nil, fmt.Errorf("open VP8 encoder: a frame of %d by %d pixels; a side may have 1 to %d", width, height,
			MaxSide)
	case bitrate < MinBitrate || bitrate > MaxBitrate:
		return nil, fmt.Errorf("open VP8 encoder: %d bit/s; use %d to %d", bitrate, MinBitrate, MaxBitrate)
	}
	var why *C.char
	c := C.vpxenc_open(C.int(width), C.int(height), C.int(bitrate/1000), &why)
	if c == nil {
		return nil, fmt.Errorf("open VP8 encoder for %d by %d pixels: %s", width, height, C.GoString(why))
	}
	live.Add(1)
	return &Encoder{c: c, width: width, height: height}, nil
}

// Close frees the C memory. Closing again does nothing.
func (e *Encoder) Close() error {
	if e.c == nil {
		return nil
	}
	C.vpxenc_close(e.c)
	e.c = nil
	live.Add(-1)
	return nil
}

// Fits reports whether f has the encoder's size.
func (e *Encoder) Fits(f *pipeline.Frame) bool { return f.Width == e.width && f.Height == e.height }

// Encode returns the unit of a frame. It is a key frame where key is set, where the encoder chooses so, and at first.
// f.Arrived is the clock of rate control. The unit has its own memory, and the frame's times.
func (e *Encoder) Encode(f *pipeline.Frame, key bool) (pipeline.Unit, error) {
	switch {
	case e.c == nil:
		return pipeline.Unit{}, errors.New("the VP8 encoder is closed")
	case !e.Fits(f):
		return pipeline.Unit{}, fmt.Errorf("encode VP8: a frame of %d by %d pixels, the encoder was made for %d by %d",
			f.Width, f.Height, e.width, e.height)
	}
	if f.FullRange { // VP8 cannot signal it, and decoders assume limited range
		f = e.limit(f)
	}
	pts, duration := e.tick(f.Arrived)
	var pinner runtime.Pinner // the planes are pointers within a struct
	defer pinner.Unpin()
	for _, plane := range [][]byte{f.Y, f.U, f.V} {
		pinner.Pin(unsafe.SliceData(plane))
	}
	picture := C.struct_vpxenc_picture{y: pointer(f.Y), u: pointer(f.U), v: pointer(f.V), y_stride: C.int(f.YStride),
		c_stride: C.int(f.CStride)}
	var unit C.struct_vpxenc_unit
	force := C.int(0)
	if key {
		force = 1
	}
	if why := C.vpxenc_encode(e.c, &picture, C.int64_t(pts), C.ulong(duration), force, &unit); why != nil {
		return pipeline.Unit{}, fmt.Errorf("encode VP8: %s", C.GoString(why))
	}
	return pipeline.Unit{
		Data: C.GoBytes(unsafe.Pointer(unit.data), C.int(unit.size)),
		Key:  unit.key != 0, RTP: f.RTP, Arrived: f.Arrived,
	}, nil
}

func pointer(plane []byte) *C.uint8_t { return (*C.uint8_t)(unsafe.SliceData(plane)) }

// tick returns an increasing time for a frame and the time since the previous one, in ticks of 90 kHz.
func (e *Encoder) tick(at time.Time) (pts, duration int64) {
	const second, first = 90000, 3000
	if !e.started {
		e.began, e.started = at, true
		return 0, first
	}
	pts = max(e.pts+1, int64(at.Sub(e.began)/time.Microsecond)*second/1e6)
	duration, e.pts = min(pts-e.pts, second), pts
	return pts, duration
}

// limit copies a full-range frame into one of limited range: ITU-T T.871 to ITU-R BT.601.
func (e *Encoder) limit(f *pipeline.Frame) *pipeline.Frame {
	e.limited.CopyFrom(f)
	for i, v := range e.limited.Y {
		e.limited.Y[i] = byte(16 + (int(v)*219+127)/255)
	}
	for _, plane := range [][]byte{e.limited.U, e.limited.V} {
		for i, v := range plane {
			plane[i] = byte(16 + (int(v)*224+127)/255)
		}
	}
	e.limited.FullRange = false
	return &e.limited
}
