package avdec

// #include <stdlib.h>
// #include <libavutil/error.h>
// #include "bridge.h"
import "C"

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"unsafe"

	"mindflow/pipeline"
)

// Hardware is a device for decoding, such as that of an NVIDIA GPU (NVDEC). It is safe for several goroutines.
// Decoders that were opened on it keep what they need of it.
type Hardware struct {
	c       *C.struct_AVBufferRef // nil when closed
	decodes map[pipeline.Codec]error
}

var hardware atomic.Int64

// LiveHardware returns the number of open devices.
func LiveHardware() int64 { return hardware.Load() }

// HardwareError is the error of a device that cannot be used, in words for operators.
type HardwareError struct {
	Kind  string // of device, such as cuda
	Cause string
	Cure  string
}

func (e *HardwareError) Error() string { return fmt.Sprintf("%s: %s; %s", e.Kind, e.Cause, e.Cure) }

// IsHardware reports whether OpenHardware knows the kind of device in a name.
func IsHardware(name string) bool {
	kind, number, numbered := strings.Cut(name, ":")
	n, err := strconv.Atoi(number)
	return kind == "cuda" && (!numbered || err == nil && n >= 0 && n < 64)
}

// OpenHardware opens a device by its kind and number, such as cuda or cuda:1. It copies a picture to the device and
// back, and tries each codec; at least one must work. Errors are *HardwareError. Close frees its C memory.
func OpenHardware(name string) (*Hardware, error) {
	kind, number, _ := strings.Cut(name, ":")
	h, err := openDevice(kind, cmp.Or(number, "0"))
	if err != nil {
		return nil, err
	}
	useful, why, said := false, "", ""
	for codec := range implementations {
		text, err := h.listen(codec)
		if h.decodes[codec] = err; err == nil {
			useful = true
		} else {
			why, said = err.Error(), said+text
		}
	}
	if useful {
		return h, nil
	}
	h.Close()
	return nil, explain(kind, why, said)
}

// listen is try, and also returns libav's messages.
func (h *Hardware) listen(codec pipeline.Codec) (said string, err error) {
	runtime.LockOSThread() // libav's messages are captured by thread
	defer runtime.UnlockOSThread()
	const size = 512
	text := (*C.char)(C.calloc(1, size))
	defer C.free(unsafe.Pointer(text))
	C.avdec_listen(text, size)
	defer C.avdec_listen(nil, 0)
	err = h.try(codec)
	return C.GoString(text), err
}

// openDevice opens a device, without trying codecs.
func openDevice(kind, name string) (*Hardware, error) {
	Prepare()
	k, n := C.CString(kind), C.CString(name)
	defer C.free(unsafe.Pointer(k))
	defer C.free(unsafe.Pointer(n))
	if C.avdec_device_known(k) == 0 {
		return nil, &HardwareError{kind, fmt.Sprintf("libavcodec %s was built without it", Version()),
			"install a libavcodec that has it, as Debian's has, or decode on the CPU"}
	}
	var code C.int
	var text [512]C.char
	c := C.avdec_device(k, n, &code, &text[0], C.int(len(text)))
	if c == nil {
		return nil, explain(kind, errorText(code), C.GoString(&text[0]))
	}
	hardware.Add(1)
	h := &Hardware{c: c, decodes: map[pipeline.Codec]error{}}
	if err := h.bringBack(322, 246); err != nil {
		h.Close()
		return nil, &HardwareError{kind, err.Error(), "install another release of its driver, or decode on the CPU"}
	}
	return h, nil
}

// bringBack copies a picture to the device and back, in the way of decoded pictures.
func (h *Hardware) bringBack(width, height int) error {
	changed := C.avdec_device_try(h.c, C.int(width), C.int(height))
	if changed < 0 {
		return errors.New("it gives no picture back: " + errorText(changed))
	}
	if changed > 0 {
		return fmt.Errorf("a picture came back with %d wrong samples", int(changed))
	}
	return nil
}

// split separates width by height pairs of U and V. It is for tests, which cannot call C.
func split(pairs []byte, stride, width, height int) (u, v []byte) {
	u, v = make([]byte, width*height), make([]byte, width*height)
	C.avdec_split((*C.uint8_t)(unsafe.SliceData(pairs)), C.int(stride), C.int(width), C.int(height),
		(*C.uint8_t)(unsafe.SliceData(u)), (*C.uint8_t)(unsafe.SliceData(v)))
	return u, v
}

// explain returns the error with cause and cure for libavutil's messages about a device.
func explain(kind, code, said string) *HardwareError {
	e := &HardwareError{Kind: kind, Cause: code, Cure: "run ffmpeg -v verbose -init_hw_device " + kind +
		" to learn more, or decode on the CPU"}
	lines := strings.FieldsFunc(said, func(r rune) bool { return r == '\n' })
	if len(lines) > 0 {
		e.Cause = strings.TrimSpace(strings.ToValidUTF8(lines[0], "?"))
	}
	switch {
	case strings.Contains(said, "libcuda.so"):
		e.Cause = "NVIDIA's driver is not there: its libcuda.so.1 cannot be loaded"
		e.Cure = "install the driver, give the container the GPU (docker run --gpus all), or decode on the CPU"
	case strings.Contains(said, "libnvcuvid.so"):
		e.Cause = "the part of NVIDIA's driver that decodes is not there: its libnvcuvid.so.1 cannot be loaded"
		e.Cure = `install it (on Debian: libnvcuvid1), let the container have it ` +
			`(NVIDIA_DRIVER_CAPABILITIES=compute,video), or decode on the CPU`
	case strings.Contains(said, "NO_DEVICE"):
		e.Cause = "NVIDIA's driver sees no GPU"
		e.Cure = "see whether nvidia-smi lists one, give the container the GPU (docker run --gpus all), or " +
			"decode on the CPU"
	case strings.Contains(said, "INVALID_DEVICE"):
		e.Cause = "there is no GPU of that number"
		e.Cure = "use a number that nvidia-smi lists, or decode on the CPU"
	}
	return e
}

// Decodes returns nil where the device decodes a codec, or the reason why not.
func (h *Hardware) Decodes(codec pipeline.Codec) error { return h.decodes[codec] }

// Codecs returns all codecs, each with nil or the reason why the device does not decode it.
func (h *Hardware) Codecs() map[pipeline.Codec]error { return maps.Clone(h.decodes) }

// try decodes a picture on the device.
func (h *Hardware) try(codec pipeline.Codec) (err error) {
	name := C.CString(implementations[codec].codec)
	defer C.free(unsafe.Pointer(name))
	if C.avdec_device_codec(h.c, name) == 0 {
		return fmt.Errorf("libavcodec %s was built without decoding %s there", Version(), codec)
	}
	grey, err := Grey(codec)
	if err != nil {
		return err
	}
	d, err := Open(codec, DefaultMaxPixels)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	var left error
	if err := d.use(h, func(why error) { left = why }); err != nil {
		return err
	}
	if err := d.Try(grey); err != nil {
		return err
	}
	return left
}

// Close frees the C memory. Closing again does nothing. Open decoders can still be used.
func (h *Hardware) Close() {
	if h.c != nil {
		C.avdec_device_close(h.c)
		h.c = nil
		hardware.Add(-1)
	}
}

// OpenOn is Open for a decoder on a device. A decoder that fails there continues on the processor from the next key
// frame on, for good, and calls left with the reason during Decode. Where the device does not decode the codec,
// OpenOn is Open.
func OpenOn(h *Hardware, codec pipeline.Codec, maxPixels int, left func(why error)) (*Decoder, error) {
	d, err := Open(codec, maxPixels)
	if err != nil || h.Decodes(codec) != nil {
		return d, err
	}
	if err := d.use(h, left); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// use makes the decoder use the device from its first unit on.
func (d *Decoder) use(h *Hardware, left func(why error)) error {
	if code := C.avdec_use(d.c, h.c); code < 0 {
		return fmt.Errorf("open %s decoder on a device: %s", d.codec, errorText(code))
	}
	d.left, d.damaged = left, true // so that it is restarted
	return nil
}

// tries is the number of errors in a row that are attributed to the stream. Damaged data fails on the processor too,
// and must not cost its sender the device at once; but a lost device may report damaged data.
const tries = 2

// blame decides whether the device caused an error, and if so leaves it.
func (d *Decoder) blame(err error) {
	if d.left == nil {
		return
	}
	d.faults++
	var code codeError
	if device := errors.As(err, &code) && code != C.AVERROR_INVALIDDATA; device || d.faults > tries {
		d.leave(err)
	}
}

// leave makes the decoder use the processor from its next restart on.
func (d *Decoder) leave(why error) {
	C.avdec_use(d.c, nil) // without a device it cannot fail
	left := d.left
	d.left = nil
	left(why)
}
