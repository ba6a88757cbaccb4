package vision

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/bits"
)

// container is the kind of a video file, as its first bytes tell.
type container string

const (
	isoMedia container = "MP4"      // ISO/IEC 14496-12, with QuickTime
	matroska container = "Matroska" // RFC 9559, with WebM
	avi      container = "AVI"      // RIFF
	sound    container = "sound"    // whatever its cover picture says
	other    container = "other"    // a video that states no length of its own
	unknown  container = ""
)

// signatures are the first bytes of files: at an offset, in order of preference. What is not listed does
// not reach FFmpeg, which also reads play lists that lead to other files, and draws text as a video.
var signatures = []struct {
	at    int
	bytes string
	kind  container
}{
	{4, "ftypM4A ", sound}, {4, "ftypM4B ", sound}, {0, "ID3", sound}, {0, "fLaC", sound}, {8, "WAVE", sound},
	{0, "\xff\xfb", sound}, {0, "\xff\xf1", sound}, // MPEG audio and ADTS frames
	{4, "ftyp", isoMedia}, {4, "moov", isoMedia}, {4, "mdat", isoMedia}, {4, "wide", isoMedia}, {4, "free", isoMedia}, {4, "skip", isoMedia},
	{0, "\x1a\x45\xdf\xa3", matroska},
	{8, "AVI ", avi},
	{0, "OggS", other}, {0, "FLV\x01", other}, {0, "\x30\x26\xb2\x75\x8e\x66\xcf\x11", other}, // Ogg, Flash, ASF (WMV)
	{0, "\x00\x00\x01\xba", other}, {0, "\x00\x00\x01\xb3", other}, // MPEG program stream, MPEG-1 and 2 video
	{188, "\x47", other}, {196, "\x47", other}, // MPEG transport stream, second packet; the same with time codes (M2TS)
	{0, "DKIF", other}, {0, "YUV4MPEG2 ", other}, {0, "GIF8", other},
	{0, "\x00\x00\x00\x01", other}, {0, "\x00\x00\x01\x67", other}, // H264 byte stream
}

// knownContainers names what signatures knows, for error messages.
const knownContainers = "MP4, MOV, MKV, WebM, AVI, MPEG, Ogg, FLV or WMV"

// containerOf tells the kind from the first bytes of a file.
func containerOf(head []byte) container {
	for _, s := range signatures {
		if s.at <= len(head) && bytes.HasPrefix(head[s.at:], []byte(s.bytes)) {
			return s.kind
		}
	}
	return unknown
}

// missingBytes is by how much the file, of size bytes, ends before the length that its container states;
// 0 when nothing is missing or nothing is stated.
func missingBytes(kind container, file io.ReaderAt, size int64) int64 {
	stated := int64(0)
	switch kind {
	case isoMedia:
		stated = endOfBoxes(file, size)
	case matroska:
		stated = endOfSegment(file)
	case avi:
		var head [8]byte
		if _, err := file.ReadAt(head[:], 0); err == nil {
			stated = 8 + int64(binary.LittleEndian.Uint32(head[4:]))
		}
	}
	return max(0, stated-size)
}

// endOfBoxes follows the top-level boxes of an ISO media file (14496-12, 4.2) to where the last one ends.
func endOfBoxes(file io.ReaderAt, size int64) int64 {
	const most = 1 << 20 // boxes; a file that was cut into more fragments is taken as whole
	at := int64(0)
	for n := 0; n < most && at < size; n++ {
		var head [16]byte
		if got, _ := file.ReadAt(head[:], at); got < 8 || !fourCC(head[4:8]) {
			return at // what follows is no box
		}
		length := int64(binary.BigEndian.Uint32(head[:]))
		if length == 1 {
			length = int64(binary.BigEndian.Uint64(head[8:]))
		}
		if length < 8 || length > 1<<62-at { // 0 is a box that reaches to the end of the file
			return size
		}
		at += length
	}
	return at
}

func fourCC(name []byte) bool {
	for _, c := range name {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// endOfSegment is where a Matroska file's segment ends, 0 when it does not say (RFC 8794, sections 4 and 6).
func endOfSegment(file io.ReaderAt) int64 {
	var head [256]byte
	got, _ := file.ReadAt(head[:], 0)
	data := head[:got]
	header, used := elementSize(data, 4)
	at := int64(used)
	if used == 0 || header > int64(len(data))-at {
		return 0
	}
	at += header
	if !bytes.HasPrefix(data[at:], []byte("\x18\x53\x80\x67")) {
		return 0
	}
	length, used := elementSize(data[at:], 4)
	if used == 0 {
		return 0
	}
	return at + int64(used) + length
}

// elementSize reads the size that follows an element's id of idLen bytes. used is how many bytes id and
// size take, 0 when there is no size or it is the one that stands for unknown.
func elementSize(data []byte, idLen int) (size int64, used int) {
	if len(data) <= idLen {
		return 0, 0
	}
	n := bits.LeadingZeros8(data[idLen]) + 1
	if n > 8 || len(data) < idLen+n {
		return 0, 0
	}
	for _, b := range data[idLen : idLen+n] {
		size = size<<8 | int64(b)
	}
	unknown := int64(1)<<(7*n) - 1
	size &= unknown
	if size == unknown {
		return 0, 0
	}
	return size, idLen + n
}
