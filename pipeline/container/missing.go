package container

import (
	"encoding/binary"
	"io"
)

// Missing returns how many bytes the file, of size bytes, is shorter than its container states, or than its last part
// needs. It returns zero where nothing is missing, and where that cannot be known: a transport stream that ends with a
// packet, or an Ogg file, may have been longer.
func Missing(kind Kind, file io.ReaderAt, size int64) int64 {
	stated := int64(0)
	switch kind {
	case ISOMedia:
		stated = endOfBoxes(file, size)
	case Matroska:
		stated = endOfSegment(file, size)
	case Transport:
		stated = endOfPackets(file, size)
	case DV:
		stated = endOfFrames(file, size)
	case AVI:
		var head [8]byte
		if _, err := file.ReadAt(head[:], 0); err == nil {
			stated = 8 + int64(binary.LittleEndian.Uint32(head[4:]))
		}
	}
	return max(0, stated-size)
}

// endOfBoxes returns where the last top-level box of an ISO media file (14496-12, 4.2) ends.
func endOfBoxes(file io.ReaderAt, size int64) int64 {
	const most = 1 << 20 // boxes; a file with more fragments is taken as complete
	at := int64(0)
	for n := 0; n < most && at < size; n++ {
		var head [16]byte
		if got, _ := file.ReadAt(head[:], at); got < 8 || !fourCC(head[4:8]) {
			return at // no further box
		}
		length := int64(binary.BigEndian.Uint32(head[:]))
		if length == 1 {
			length = int64(binary.BigEndian.Uint64(head[8:]))
		}
		if length < 8 || length > 1<<62-at { // 0 means that the box extends to the end of the file
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

// endOfPackets returns where the last packet of a transport stream ends (ISO/IEC 13818-1, 2.4.3.2). A packet has 188
// bytes, or 192 with time codes.
func endOfPackets(file io.ReaderAt, size int64) int64 {
	const sync = 0x47
	for _, p := range []struct{ length, sync int64 }{{188, 0}, {192, 4}} {
		last := size / p.length * p.length
		if byteAt(file, p.sync) == sync && byteAt(file, last-p.length+p.sync) == sync &&
			byteAt(file, last+p.sync) == sync {
			return last + p.length
		}
	}
	return size
}

// byteAt returns a byte of the file, or -1 beyond its end.
func byteAt(file io.ReaderAt, at int64) int {
	var b [1]byte
	if _, err := file.ReadAt(b[:], at); err != nil {
		return -1
	}
	return int(b[0])
}

// endOfFrames returns where the last frame of a DV file ends. A frame has 10 sequences of 12,000 bytes, or 12 of them
// with 50 fields a second.
func endOfFrames(file io.ReaderAt, size int64) int64 {
	const fifty = 0xbf
	frame := int64(120_000)
	if byteAt(file, 3) == fifty {
		frame = 144_000
	}
	return (size + frame - 1) / frame * frame
}
