// Package avfile reads the pictures of video files with libavformat and libavcodec, through a small C bridge. OpenCV
// 4.6 is not suitable: it reads beyond the memory of a picture that is smaller than the first one, treats a packet
// that cannot be decoded as the end, and does not know the times of the last pictures where they are coded out of
// order. Here a picture has the size in which it was coded, stretched where its pixels are not square. Damaged
// pictures are skipped, and at the end an error says how many could be decoded.
package avfile

/*
#cgo pkg-config: libavformat libavcodec libavutil libswscale
#cgo LDFLAGS: -lm
#include <stdlib.h>
#include "bridge.h"
*/
import "C"

import (
	"fmt"
	"io"
	"math"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"mindflow/pipeline"
	"mindflow/pipeline/avdec"
)

const (
	maxPixels  = 100_000_000 // a picture
	maxThreads = 4           // each delays one picture; decoding is not the bottleneck
)

// demuxers are those of libavformat for the kinds of package container. No other is tried.
const demuxers = "mov,matroska,avi,ogg,flv,asf,mpeg,mpegts,mpegvideo,m4v,h264,hevc,ivf,yuv4mpegpipe,gif,dv"

var live atomic.Int64

// Live returns the number of open videos, each with memory in C.
func Live() int64 { return live.Load() }

// Video reads the pictures of a video file or a network camera in display order, upright as its display matrix says,
// without sound. One goroutine owns it.
type Video struct {
	// static after construction
	Rate    float64 // nominal frames per second; true times may differ
	Frames  int     // as the file states or its length suggests; zero means unknown
	path    string
	missing int64 // bytes by which the file is too short
	gaps    bool  // its parts do not follow each other
	upright orientation
	live    bool // a network camera

	mu      sync.Mutex       // held while another goroutine uses c, and while c is freed
	c       *C.struct_avfile // nil when closed
	unwatch func() bool      // of a live source: ends the watch of its context
	frame   pipeline.Frame   // returned by Next
	orient  orienter
	bgr     [][3]byte // returned by BGR, where the picture is stored upright
	read    int       // pictures
	// packets without a picture before the first one, such as where a recording starts between key frames
	early int64
	at    time.Duration // of the latest picture
}

// Open opens MP4, MOV, Matroska, WebM, AVI, MPEG, Ogg, FLV, WMV, DV, GIF and Y4M files, with the codecs that
// libavcodec has.
func Open(path string) (*Video, error) { return OpenAs(path, path) }

// OpenAs is Open for a temporary file, which errors call name.
func OpenAs(path, name string) (*Video, error) {
	missing, gaps, err := check(path, name)
	if err != nil {
		return nil, err
	}
	full, err := filepath.Abs(path) // a name such as concat:… would be a protocol to libavformat
	if err != nil {
		return nil, fmt.Errorf("read video: %w", err)
	}
	avdec.Prepare()
	file, formats := C.CString(full), C.CString(demuxers)
	defer C.free(unsafe.Pointer(file))
	defer C.free(unsafe.Pointer(formats))
	v := &Video{path: name, missing: missing, gaps: gaps, c: (*C.struct_avfile)(C.calloc(1, C.sizeof_struct_avfile))}
	live.Add(1)
	status := C.avfile_open(v.c, file, formats, maxPixels, C.int(min(runtime.NumCPU(), maxThreads)))
	if err := v.opened(status); err != nil {
		v.Close()
		return nil, err
	}
	return v, nil
}

// opened evaluates the result of the bridge's open.
func (v *Video) opened(status C.enum_avfile_status) error {
	w, h := int64(v.c.width), int64(v.c.height)
	switch {
	case status == C.AVFILE_COVER:
		return fmt.Errorf("read %s: it holds sound only, with a picture; name a file with a video track", v.path)
	case status != C.AVFILE_DONE && v.missing > 0:
		return fmt.Errorf("read %s: the file is cut short, %d bytes are missing, and nothing can be read without "+
			"them; "+
			"copy or record it again", v.path, v.missing)
	case status != C.AVFILE_DONE:
		return fmt.Errorf("read %s: no video track that can be decoded: it may hold sound only, be damaged or use a "+
			"rare codec; "+
			"convert it with ffmpeg -i FILE -c:v libx264 OUT.mp4", v.path)
	case w < 1 || h < 1 || w > maxPixels/h:
		return fmt.Errorf("read %s: pictures of %d by %d pixels; use 1 to %d million", v.path, w, h,
			maxPixels/1_000_000)
	}
	v.Rate = float64(v.c.rate)
	if !(v.Rate >= 0.01 && v.Rate <= 240) { // a browser's WebM says 1000, which is its clock and not its rate
		v.Rate = 30
	}
	n := float64(v.c.stated)
	if n < 1 {
		n = math.Floor(float64(v.c.length)/1e6*v.Rate + 0.5)
	}
	if n >= 1 && n < math.MaxInt32 {
		v.Frames = int(n)
	}
	v.upright = orientation{transpose: v.c.transpose != 0, flipX: v.c.flip_x != 0, flipY: v.c.flip_y != 0}
	return nil
}

// Next returns the next picture, which may have another size than the one before, and its time in the video. A
// picture of unknown time follows the one before at the nominal rate. The frame is valid until the next call. At the
// end, also of a file that is too short, Next returns io.EOF. It skips damaged pictures: see CheckComplete.
func (v *Video) Next() (*pipeline.Frame, time.Duration, error) {
	if v.live {
		return v.nextLive()
	}
	began := time.Now()
	status := C.avfile_next(v.c)
	p := &v.c.picture
	switch {
	case status == C.AVFILE_PICTURE:
	case status == C.AVFILE_FORMAT || status == C.AVFILE_FAILED:
		return nil, 0, v.unusable(status)
	case v.read == 0:
		return nil, 0, fmt.Errorf("read %s: no picture in it can be decoded; the file is damaged or its codec is "+
			"unknown", v.path)
	default:
		return nil, 0, io.EOF
	}
	v.lend()
	const latest = 1 << 50 // microseconds; a later time is damaged
	at := time.Duration(max(0, min(p.at, latest))) * time.Microsecond
	switch {
	case v.read == 0:
		v.early = int64(v.c.lost)
	case p.timed == 0 || at <= v.at:
		at = v.at + time.Duration(float64(time.Second)/v.Rate)
	}
	v.read, v.at = v.read+1, at
	v.frame.Decode = time.Since(began)
	return &v.frame, at, nil
}

// unusable returns the error of a decoded picture that cannot be used.
func (v *Video) unusable(status C.enum_avfile_status) error {
	p := &v.c.picture
	if status == C.AVFILE_FORMAT {
		return fmt.Errorf("read %s: its pixels are of a kind that cannot be used (%s); convert it with "+
			"ffmpeg -i FILE -pix_fmt yuv420p OUT.mp4", v.path, C.GoString(p.format))
	}
	return fmt.Errorf("read %s: no memory for a picture of %d by %d pixels", v.path, p.width, p.height)
}

// BGR returns the latest picture, upright, as rows of blue, green and red bytes without padding, in OpenCV's colours:
// always by BT.601. It is valid until the next call.
func (v *Video) BGR() (pixels []byte, w, h int, err error) {
	var rows *C.uint8_t
	var stride C.int
	if status := C.avfile_bgr(v.c, &rows, &stride); status != C.AVFILE_PICTURE {
		return nil, 0, 0, v.unusable(status)
	}
	w, h = int(v.c.picture.width), int(v.c.picture.height)
	v.bgr = v.bgr[:0]
	for y := range h {
		row := unsafe.Add(unsafe.Pointer(rows), y*int(stride))
		v.bgr = append(v.bgr, unsafe.Slice((*[3]byte)(row), w)...)
	}
	upright := v.bgr
	if v.upright != (orientation{}) {
		upright = orient(&v.orient.pixels, v.bgr, w, w, h, v.upright)
		if v.upright.transpose {
			w, h = h, w
		}
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(upright))), 3*w*h), w, h, nil
}

// lend sets frame to the picture in C memory, or to the upright copy.
func (v *Video) lend() {
	p := &v.c.picture
	w, h := int(p.width), int(p.height)
	cw, ch := (w+1)/2, (h+1)/2
	ys, cs := int(p.y_stride), int(p.c_stride)
	v.frame = pipeline.Frame{
		Width: w, Height: h,
		Y: unsafe.Slice((*byte)(p.y), ys*(h-1)+w), YStride: ys,
		U: unsafe.Slice((*byte)(p.u), cs*(ch-1)+cw), CStride: cs,
		V:         unsafe.Slice((*byte)(p.v), cs*(ch-1)+cw),
		FullRange: p.full_range != 0, BT709: p.bt709 != 0,
	}
	v.orient.frame(&v.frame, v.upright)
}

// CheckComplete returns, after the end, an error about the parts of the file that could not be read.
func (v *Video) CheckComplete() error {
	lost, of := int64(v.c.lost), int64(v.c.packets)
	few := int64(v.read) < of*9/10 // some coded pictures are not shown, such as VP8's golden frames
	if v.c.stated == 0 {           // pictures before the first key frame may be no fault
		lost, few = lost-v.early, false
	}
	switch {
	case v.missing > 0:
		return fmt.Errorf("the file is cut short, %d bytes are missing; %d frames up to %.1f s could be read; copy "+
			"or record it again",
			v.missing, v.read, v.at.Seconds())
	case few || v.c.stated > 0 && lost > 0:
		return fmt.Errorf("the file is damaged: %d of %d frames could be decoded, up to %.1f s; copy or record it "+
			"again", v.read, of, v.at.Seconds())
	case v.gaps:
		return fmt.Errorf("the file is damaged: parts of it cannot be found, %d frames up to %.1f s could be "+
			"decoded; copy or record it again",
			v.read, v.at.Seconds())
	case lost > 0:
		return fmt.Errorf("the file is damaged: %d parts of it could not be decoded, %d frames up to %.1f s could; "+
			"copy or record it again",
			lost, v.read, v.at.Seconds())
	}
	return nil
}

// Close frees the C memory. Closing again does nothing.
func (v *Video) Close() error {
	if v.c == nil {
		return nil
	}
	if v.unwatch != nil {
		v.unwatch()
	}
	C.avfile_close(v.c)
	v.mu.Lock()
	defer v.mu.Unlock()
	C.free(unsafe.Pointer(v.c))
	v.c = nil
	live.Add(-1)
	return nil
}
