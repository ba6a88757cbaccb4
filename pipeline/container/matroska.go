package container

import (
	"io"
	"math/bits"
)

// Elements of Matroska by their ids (RFC 9559): of the file, of a segment and of its clusters.
const (
	ebmlID    = 0x1a45dfa3
	segmentID = 0x18538067
	clusterID = 0x1f43b675
)

// partIDs are what a segment and its clusters consist of. What else follows is taken for no part of the file.
var partIDs = map[uint32]bool{
	clusterID: true, 0x114d9b74: true, 0x1549a966: true, 0x1654ae6b: true, 0x1c53bb6b: true, 0x1254c367: true,
	0x1941a469: true, 0x1043a770: true,
	0xe7: true, 0xa3: true, 0xa0: true, 0xa7: true, 0xab: true, 0xaf: true, 0x5854: true, 0xec: true, 0xbf: true,
}

// mostParts of a segment are looked at; a file of more is taken as whole.
const mostParts = 1 << 22

// segmentOf finds the segment, which holds everything.
func segmentOf(file io.ReaderAt) (segment element, ok bool) {
	header, ok := elementAt(file, 0)
	if !ok || header.id != ebmlID || header.end == unknownEnd {
		return element{}, false
	}
	segment, ok = elementAt(file, header.end)
	return segment, ok && segment.id == segmentID
}

// endOfSegment is where a Matroska file's segment ends. One that was recorded live does not say: it ends with
// its last part.
func endOfSegment(file io.ReaderAt, size int64) int64 {
	segment, ok := segmentOf(file)
	if !ok {
		return 0
	} else if segment.end != unknownEnd {
		return segment.end
	}
	at := segment.data
	for n := 0; n < mostParts && at < size; n++ {
		part, ok := elementAt(file, at)
		switch {
		case !partIDs[part.id]:
			return size
		case !ok: // its head is cut
			return part.data
		case part.end == unknownEnd && part.id != clusterID:
			return size
		case part.end == unknownEnd:
			at = part.data
		default:
			at = part.end
		}
	}
	return at
}

// Torn says whether a Matroska file has parts that do not follow each other. FFmpeg goes on after them as if nothing
// had been there. A file that is cut is another matter: see Missing.
func Torn(kind Kind, file io.ReaderAt, size int64) bool {
	segment, ok := segmentOf(file)
	if kind != Matroska || !ok || segment.end > size {
		return false
	}
	end, live := segment.end, segment.end == unknownEnd
	if live {
		end = size
	}
	inner, at := end, segment.data // inner is the end of the cluster that at is in, or else end
	for n := 0; n < mostParts && at < end; n++ {
		part, ok := elementAt(file, at)
		switch {
		case live && ok && part.id == ebmlID: // another recording
			return false
		case live && inner == end && part.data > 0 && (!ok || part.end > end): // cut
			return false
		case !ok || part.end > inner || live && !partIDs[part.id]:
			return true
		case part.end == unknownEnd: // a live cluster, whose parts are taken for the segment's
			at = part.data
		case part.id == clusterID:
			inner, at = part.end, part.data
		default:
			at = part.end
		}
		if at == inner {
			inner = end
		}
	}
	return false
}

// element is the head of an element (RFC 8794, sections 4 to 6), and where its data begin and end.
type element struct {
	id        uint32
	data, end int64
}

const unknownEnd = -1

// elementAt reads the head at a place. It is not ok when the file ends before data, or there is no head.
func elementAt(file io.ReaderAt, at int64) (e element, ok bool) {
	var head [12]byte
	got, _ := file.ReadAt(head[:], at)
	idLen := bits.LeadingZeros8(head[0]) + 1
	if idLen > 4 || got < idLen {
		return element{}, false
	}
	for _, b := range head[:idLen] {
		e.id = e.id<<8 | uint32(b)
	}
	sizeLen := bits.LeadingZeros8(head[idLen]) + 1
	if got == idLen {
		sizeLen = 1 // at least
	} else if sizeLen > 8 {
		return element{}, false
	}
	e.data, e.end = at+int64(idLen+sizeLen), unknownEnd
	size := int64(0)
	for _, b := range head[idLen : idLen+sizeLen] {
		size = size<<8 | int64(b)
	}
	all := int64(1)<<(7*sizeLen) - 1 // stands for unknown
	if size &= all; size != all {
		e.end = e.data + size
	}
	return e, got >= idLen+sizeLen
}
