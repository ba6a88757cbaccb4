package avfile

/*
#include <errno.h>
#include <stdlib.h>
#include <libavutil/error.h>
#include "bridge.h"
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unsafe"

	"mindflow/pipeline"
	"mindflow/pipeline/avdec"
)

// livePatience is how long a network camera may take to open, and to give each picture.
const livePatience = 10 * time.Second

// liveDemuxers are those of network cameras, besides demuxers. None of them opens what a play list names.
const liveDemuxers = demuxers + ",rtsp,mpjpeg"

// IsAddress reports whether name is an address that OpenLive takes, and not a file.
func IsAddress(name string) bool {
	scheme, _, found := strings.Cut(name, "://")
	switch strings.ToLower(scheme) {
	case "rtsp", "http", "https":
		return found
	}
	return false
}

// Origin returns the scheme, host and port of an address. All else may hold a password: the user's part, but also the
// path or the query. The errors do not repeat the address.
func Origin(address string) (string, error) {
	scheme, rest, _ := strings.Cut(address, "://")
	authority := rest
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		authority = rest[:end]
	}
	stray := strings.Contains(rest, "@") && !strings.Contains(authority, "@") // as by a password with a slash
	host := authority[strings.LastIndexByte(authority, '@')+1:]
	port := host
	if strings.HasPrefix(host, "[") { // IPv6
		_, port, _ = strings.Cut(host, "]")
	}
	_, port, _ = strings.Cut(port, ":")
	switch {
	case !IsAddress(address):
		return "", errors.New("addresses of rtsp, http and https are read; use rtsp://HOST/PATH, http://… or https://…")
	case host == "" || stray || strings.Trim(port, "0123456789") != "":
		return "", errors.New("the address names no host; write special characters of passwords and paths as %XX: " +
			"%2F for /, %3F for ?, %23 for #, %40 for @")
	}
	return strings.ToLower(scheme) + "://" + host, nil
}

// OpenLive opens a network camera, until ctx ends: RTSP (over TCP, or UDP where the camera refuses that), or MJPEG,
// MPEG-TS and other streams over HTTP. The certificates of HTTPS are verified. Next returns pictures as they come, and
// fails where the stream ends or no picture comes for ten seconds. Addresses are for operators: nothing that a stranger
// sends may become one. They do not appear in errors, since they hold passwords.
func OpenLive(ctx context.Context, address string) (*Video, error) {
	origin, err := Origin(address)
	if err != nil {
		return nil, err
	}
	avdec.Prepare()
	url, formats := C.CString(address), C.CString(liveDemuxers)
	defer C.free(unsafe.Pointer(url))
	defer C.free(unsafe.Pointer(formats))
	v := &Video{path: origin, live: true, c: (*C.struct_avfile)(C.calloc(1, C.sizeof_struct_avfile))}
	live.Add(1)
	v.unwatch = context.AfterFunc(ctx, v.interrupt)
	status := C.avfile_open_live(v.c, url, formats, maxPixels, C.int64_t(livePatience.Microseconds()))
	if ctx.Err() != nil {
		v.Close()
		return nil, ctx.Err()
	}
	if err := v.openedLive(status); err != nil {
		v.Close()
		return nil, err
	}
	return v, nil
}

// interrupt ends the call in progress, from another goroutine.
func (v *Video) interrupt() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.c != nil {
		C.avfile_stop(v.c)
	}
}

func (v *Video) openedLive(status C.enum_avfile_status) error {
	switch {
	case status == C.AVFILE_FAILED:
		return fmt.Errorf("open %s: %w", v.path, liveError(v.c.error))
	case status != C.AVFILE_DONE:
		return fmt.Errorf("open %s: the stream has no video; name the camera's video stream", v.path)
	case v.c.length > 0 && v.c.session == 0:
		return fmt.Errorf("open %s: a file with an end, not a camera; use mindflow video, or save it first", v.path)
	}
	return v.opened(status)
}

// nextLive returns the next picture as soon as it is there.
func (v *Video) nextLive() (*pipeline.Frame, time.Duration, error) {
	C.avfile_wait(v.c)
	began := time.Now()
	switch status := C.avfile_next(v.c); status {
	case C.AVFILE_PICTURE:
	case C.AVFILE_FORMAT, C.AVFILE_FAILED:
		return nil, 0, v.unusable(status)
	case C.AVFILE_STUCK:
		return nil, 0, errors.New("nothing of the stream can be decoded")
	default:
		return nil, 0, liveError(v.c.error)
	}
	v.lend()
	v.read++
	v.frame.Decode = time.Since(began)
	return &v.frame, time.Duration(v.c.picture.at) * time.Microsecond, nil
}

// liveError explains an AVERROR.
func liveError(code C.int) error {
	switch code {
	case C.AVERROR_EOF:
		return errors.New("the stream ended")
	case C.AVERROR_EXIT:
		return fmt.Errorf("no picture came for %v; see that the camera is on and its address is right", livePatience)
	case C.AVERROR_HTTP_UNAUTHORIZED, C.AVERROR_HTTP_FORBIDDEN:
		return errors.New("the camera refuses the name and password; write them into the address as " +
			"NAME:PASSWORD@HOST, " +
			"special characters as %XX")
	case C.AVERROR_HTTP_NOT_FOUND:
		return errors.New("the camera has no stream at this path; see its manual for the address")
	case C.AVERROR_INVALIDDATA, -C.EINVAL:
		return errors.New("no stream of a known kind; use the camera's address of RTSP, or of MJPEG or MPEG-TS " +
			"over HTTP")
	}
	var text [128]C.char
	C.avfile_error_text(code, &text[0], C.int(len(text)))
	return fmt.Errorf("%s; see that the camera is on and its address is right", C.GoString(&text[0]))
}
