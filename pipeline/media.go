package pipeline

import "time"

// Codec names a video coding format as SDP does (RFC 4855 encoding names).
type Codec string

// The codecs that browsers send.
const (
	VP8  Codec = "VP8"
	VP9  Codec = "VP9"
	H264 Codec = "H264"
	AV1  Codec = "AV1"
)

// Unit is one access unit: the coded data of one instant, in the form that decoders take. H264 is in Annex B form
// (start codes); VP8 is one frame.
type Unit struct {
	Data    []byte
	RTP     uint32    // RTP timestamp, 90 kHz
	Key     bool      // decoding may start here
	Arrived time.Time // when the unit's last packet came in
}

// Decoder decodes the units of one stream, in order. The goroutine that opens it calls and closes it.
type Decoder interface {
	// Decode calls emit with each of the 0..n frames that u completes. A frame is valid during the call only. After an
	// error the stream goes on at the next key frame.
	Decode(u Unit, emit func(*Frame)) error
	Close() error
}

// Frame is a decoded picture in 8-bit planar YUV 4:2:0 (I420). Chroma planes have (Width+1)/2 by (Height+1)/2 samples.
type Frame struct {
	Width, Height int // in luma pixels
	Y, U, V       []byte
	YStride       int  // bytes from one luma row to the next
	CStride       int  // bytes from one row of U, and of V, to the next
	FullRange     bool // luma 0..255 instead of 16..235
	BT709         bool // ITU-R BT.709 matrix instead of BT.601

	RTP     uint32        // of the unit it came from
	Arrived time.Time     // of the unit it came from
	Taken   time.Time     // by the sender's clock, see Clock; zero where it is not known
	Decode  time.Duration // how long decoding took
}

// Video is a sequence of frames with an end.
type Video interface {
	// Next returns the next frame, valid until the next call, and its time from the beginning. At the end it returns
	// io.EOF.
	Next() (*Frame, time.Duration, error)
	Close() error
}

// CopyFrom makes f a copy of src in f's own memory, which is reused when it is large enough.
func (f *Frame) CopyFrom(src *Frame) {
	y, u, v := f.Y, f.U, f.V
	*f = *src
	cw, ch := (src.Width+1)/2, (src.Height+1)/2
	f.YStride, f.CStride = src.Width, cw
	f.Y = copyPlane(y, src.Y, src.YStride, src.Width, src.Height)
	f.U = copyPlane(u, src.U, src.CStride, cw, ch)
	f.V = copyPlane(v, src.V, src.CStride, cw, ch)
}

func copyPlane(dst, src []byte, stride, w, h int) []byte {
	if cap(dst) < w*h {
		dst = make([]byte, w*h)
	}
	dst = dst[:w*h]
	for row := 0; row < h; row++ {
		copy(dst[row*w:(row+1)*w], src[row*stride:])
	}
	return dst
}
