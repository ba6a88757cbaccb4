// Package avdec decodes video with libavcodec, through a small C bridge.
package avdec

/*
#cgo pkg-config: libavcodec libavutil
#cgo LDFLAGS: -ldl
#include <stdlib.h>
#include "bridge.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"mindflow/pipeline"
)

// DefaultMaxPixels is the number of pixels of a full HD frame with its height rounded up to whole blocks, which some
// encoders declare, in either orientation.
const DefaultMaxPixels = 1920 * 1088

// maxUnit bounds the memory of one unit's copy, in bytes.
const maxUnit = 64 << 20

// Errors of Decode, besides *TooLargeError.
var (
	ErrClosed  = errors.New("the decoder is closed")
	ErrNeedKey = errors.New("the unit is not a key unit: decoding starts, and goes on after an error, at one")
)

var errDamaged = errors.New("the data of a frame is damaged")

// TooLargeError is the error of a frame over the limit, which is refused before memory is allocated for it.
type TooLargeError struct {
	Width, Height int // as declared, in pixels; zero where the stream's header could not be read
	MaxPixels     int
}

func (e *TooLargeError) Error() string {
	size := "a frame"
	if e.Width > 0 {
		size = fmt.Sprintf("a frame of %d by %d pixels", e.Width, e.Height)
	}
	return fmt.Sprintf("%s is over the limit of %d pixels: send a smaller picture or raise the limit", size,
		e.MaxPixels)
}

// TooLarge returns true. Callers recognise the error by this method, without importing the package.
func (e *TooLargeError) TooLarge() bool { return true }

// implementation has libavcodec's names of a codec.
type implementation struct {
	codec     string
	preferred string // decoder to use where it exists; empty means libavcodec's choice
}

var implementations = map[pipeline.Codec]implementation{
	pipeline.VP8:  {codec: "vp8"},
	pipeline.VP9:  {codec: "vp9"},
	pipeline.H264: {codec: "h264"},
	pipeline.AV1:  {codec: "av1", preferred: "libdav1d"}, // libavcodec's own needs a GPU
}

var live atomic.Int64

// Prepare silences libav's messages and makes its AV1 decoder safe, in the whole process. Call it before any other
// use of libav.
var Prepare = sync.OnceFunc(func() {
	C.avdec_quiet()
	C.avdec_without_avx512()
})

// Live returns the number of open decoders, each with memory in C.
func Live() int64 { return live.Load() }

// Decoder decodes one stream. One goroutine owns it. It implements pipeline.Decoder.
type Decoder struct {
	c         *C.struct_avdec // nil when closed
	codec     pipeline.Codec
	maxPixels int
	needKey   bool
	damaged   bool           // by an error; the decoder is restarted for the next key frame
	serial    uint64         // of the last unit
	origins   [32]origin     // of the last units, by serial; H264 delays at most 16 frames
	frame     pipeline.Frame // lent to emit

	left   func(why error) // called when the decoder leaves its device; nil on the processor
	faults int             // errors on the device since the last frame of it
}

// origin is what a frame inherits from its unit, which with B-frames may not be the unit that was decoded last.
type origin struct {
	rtp     uint32
	arrived time.Time
}

// Open returns a decoder that refuses frames of more than maxPixels pixels. The padding to whole blocks does not count.
// It silences libav's messages in the whole process. Close frees its C memory.
func Open(codec pipeline.Codec, maxPixels int) (*Decoder, error) {
	impl, ok := implementations[codec]
	if !ok {
		return nil, fmt.Errorf("open decoder: codec %q is none of VP8, VP9, H264, AV1", codec)
	}
	if maxPixels <= 0 {
		return nil, fmt.Errorf("open decoder: the limit is %d pixels a frame, it must be above 0", maxPixels)
	}
	Prepare()
	name := C.CString(impl.codec)
	defer C.free(unsafe.Pointer(name))
	var preferred *C.char
	if impl.preferred != "" {
		preferred = C.CString(impl.preferred)
		defer C.free(unsafe.Pointer(preferred))
	}
	var code C.int
	c := C.avdec_open(name, preferred, C.int64_t(maxPixels), &code)
	if c == nil {
		return nil, fmt.Errorf("open %s decoder: %s", codec, errorText(code))
	}
	live.Add(1)
	return &Decoder{c: c, codec: codec, maxPixels: maxPixels, needKey: true}, nil
}

// Close frees the C memory. Closing again does nothing.
func (d *Decoder) Close() error {
	if d.c == nil {
		return nil
	}
	C.avdec_close(d.c)
	d.c = nil
	live.Add(-1)
	return nil
}

// Decode decodes one unit and calls emit with each frame that it completes. The frame's planes are C memory of the
// decoder, valid until emit returns, and emit must not call the decoder. Errors are *TooLargeError, ErrNeedKey,
// ErrClosed, and others for damaged data and for pixel formats other than 8-bit 4:2:0. After an error, units are
// refused with ErrNeedKey until a key frame.
func (d *Decoder) Decode(u pipeline.Unit, emit func(*pipeline.Frame)) error {
	if d.c == nil {
		return ErrClosed
	}
	if d.needKey && !u.Key {
		return ErrNeedKey
	}
	if d.damaged {
		if code := C.avdec_restart(d.c); code < 0 {
			d.needKey = true
			err := codeError(code)
			d.blame(err)
			return fmt.Errorf("restart %s decoder: %w", d.codec, err)
		}
		d.damaged = false
	}
	if err := d.decode(u, emit); err != nil {
		d.needKey, d.damaged = true, true
		d.blame(err)
		return fmt.Errorf("decode %s: %w", d.codec, err)
	}
	d.needKey = false
	return nil
}

func (d *Decoder) decode(u pipeline.Unit, emit func(*pipeline.Frame)) error {
	if len(u.Data) == 0 || len(u.Data) > maxUnit { // libavcodec treats an empty unit as the end of the stream
		return fmt.Errorf("the unit has %d bytes, must have 1 to %d", len(u.Data), maxUnit)
	}
	start := time.Now()
	d.serial++
	d.origins[d.serial%uint64(len(d.origins))] = origin{u.RTP, u.Arrived}
	status := C.avdec_send(d.c, (*C.uint8_t)(unsafe.SliceData(u.Data)), C.int(len(u.Data)), C.int64_t(d.serial))
	if status != C.AVDEC_DONE {
		return d.failure(status)
	}
	for {
		status = C.avdec_receive(d.c)
		if status == C.AVDEC_DONE {
			return nil
		}
		if status != C.AVDEC_FRAME {
			return d.failure(status)
		}
		d.lend(time.Since(start))
		if d.c.on_device != 0 {
			d.faults = 0
		} else if d.left != nil { // the device cannot decode this stream, so libavcodec decodes it on the processor
			d.leave(errors.New("the device does not decode such a stream"))
		}
		emit(&d.frame)
		start = time.Now()
	}
}

// lend sets frame to the picture in C memory.
func (d *Decoder) lend(took time.Duration) {
	p := &d.c.picture
	from := d.origins[uint64(p.serial)%uint64(len(d.origins))]
	w, h := int(p.width), int(p.height)
	cw, ch := (w+1)/2, (h+1)/2
	ys, cs := int(p.y_stride), int(p.c_stride)
	d.frame = pipeline.Frame{
		Width: w, Height: h,
		Y: unsafe.Slice((*byte)(p.y), ys*(h-1)+w), YStride: ys,
		U: unsafe.Slice((*byte)(p.u), cs*(ch-1)+cw), CStride: cs,
		V:         unsafe.Slice((*byte)(p.v), cs*(ch-1)+cw),
		FullRange: p.full_range != 0, BT709: p.bt709 != 0,
		RTP: from.rtp, Arrived: from.arrived, Decode: took,
	}
}

// failure returns the error for a status of the bridge.
func (d *Decoder) failure(status C.enum_avdec_status) error {
	p := &d.c.picture
	switch status {
	case C.AVDEC_TOO_LARGE:
		return &TooLargeError{Width: int(p.width), Height: int(p.height), MaxPixels: d.maxPixels}
	case C.AVDEC_DAMAGED:
		return errDamaged
	case C.AVDEC_FORMAT:
		return fmt.Errorf("the pixel format is %s: send 8-bit 4:2:0 (yuv420p)", C.GoString(p.format))
	default:
		return codeError(d.c.error)
	}
}

// codeError is an AVERROR.
type codeError C.int

func (e codeError) Error() string { return errorText(C.int(e)) }

func errorText(code C.int) string {
	var text [128]C.char
	C.avdec_error_text(code, &text[0], C.int(len(text)))
	return C.GoString(&text[0])
}
