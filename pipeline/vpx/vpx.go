// Package vpx codes live video as VP8 with libvpx, behind a small bridge in C.
//
// mediadevices 0.6.4 has such an encoder too, but its clock starts anew with every second (mended upstream in
// pion/mediadevices#606, for Pion v4): rate control goes by wrong times, and newer libvpx refuses a frame
// whose time lies before the first one's. Nor can its speed be set.
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

// Limits of Open. A side is 14 bits in a VP8 key frame: RFC 6386, section 9.1.
const (
	MaxSide    = 16383
	MinBitrate = 30_000     // bit/s
	MaxBitrate = 50_000_000 // bit/s
)

var live atomic.Int64

// Live is the number of encoders that are open, each with memory in C.
func Live() int64 { return live.Load() }

// Version is libvpx's.
func Version() string { return C.GoString(C.vpxenc_version()) }

// Encoder codes frames of one size. It is owned by one goroutine.
type Encoder struct {
	c             *C.struct_vpxenc // nil when closed
	width, height int
	began         time.Time // of the first frame
	pts           int64     // of the latest frame, in ticks of 90 kHz
	started       bool
	limited       pipeline.Frame // the copy of a frame of full range
}

// Open makes an encoder for frames of width by height pixels, at about bitrate bit/s however fast they
// come. Close frees its C memory.
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

// Close frees the C memory. Further calls do nothing.
func (e *Encoder) Close() error {
	if e.c == nil {
		return nil
	}
	C.vpxenc_close(e.c)
	e.c = nil
	live.Add(-1)
	return nil
}

// Fits says whether f has the size that the encoder was made for.
func (e *Encoder) Fits(f *pipeline.Frame) bool { return f.Width == e.width && f.Height == e.height }

// Encode gives the unit of a frame, a key unit when key is set or the encoder finds it best; the first is
// one always. f.Arrived is the clock of rate control. The unit has memory of its own, and the frame's times.
func (e *Encoder) Encode(f *pipeline.Frame, key bool) (pipeline.Unit, error) {
	switch {
	case e.c == nil:
		return pipeline.Unit{}, errors.New("the VP8 encoder is closed")
	case !e.Fits(f):
		return pipeline.Unit{}, fmt.Errorf("encode VP8: a frame of %d by %d pixels, the encoder was made for %d by %d",
			f.Width, f.Height, e.width, e.height)
	}
	if f.FullRange { // VP8 cannot say so, and who decodes takes it for limited
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

// tick turns a frame's time into one that rises, and gives the time since the frame before, in ticks of 90 kHz.
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

// limit copies a frame of full range into one of limited range: ITU-T T.871 to ITU-R BT.601.
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
