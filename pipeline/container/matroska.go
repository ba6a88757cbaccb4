package container

import (
	"io"
	"math/bits"
)

// IDs of Matroska's elements (RFC 9559): of the file, of a segment and of its clusters.
const (
	ebmlID    = 0x1a45dfa3
	segmentID = 0x18538067
	clusterID = 0x1f43b675
)

// partIDs are the IDs of the elements in a segment and its clusters. Other elements are not part of the file.
var partIDs = map[uint32]bool{
	clusterID: true, 0x114d9b74: true, 0x1549a966: true, 0x1654ae6b: true, 0x1c53bb6b: true, 0x1254c367: true,
	0x1941a469: true, 0x1043a770: true,
	0xe7: true, 0xa3: true, 0xa0: true, 0xa7: true, 0xab: true, 0xaf: true, 0x5854: true, 0xec: true, 0xbf: true,
}

// mostParts is the number of parts of a segment that are examined. A file with more is taken as complete.
const mostParts = 1 << 22

// segmentOf finds the segment, which contains all else.
func segmentOf(file io.ReaderAt) (segment element, ok bool) {
	header, ok := elementAt(file, 0)
	if !ok || header.id != ebmlID || header.end == unknownEnd {
		return element{}, false
	}
	segment, ok = elementAt(file, header.end)
	return segment, ok && segment.id == segmentID
}

// endOfSegment returns where the segment of a Matroska file ends. The segment of a live recording states no size: it
// ends with its last part.
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
		case !ok: // its head is incomplete
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

// HasGaps reports whether a Matroska file has parts that do not follow each other. FFmpeg continues after a gap
// without an error. A file that is too short has no gap: see Missing.
func HasGaps(kind Kind, file io.ReaderAt, size int64) bool {
	segment, ok := segmentOf(file)
	if kind != Matroska || !ok || segment.end > size {
		return false
	}
	end, live := segment.end, segment.end == unknownEnd
	if live {
		end = size
	}
	inner, at := end, segment.data // inner is the end of the cluster at this place, or end outside of one
	for n := 0; n < mostParts && at < end; n++ {
		part, ok := elementAt(file, at)
		switch {
		case live && ok && part.id == ebmlID: // another recording
			return false
		case live && inner == end && part.data > 0 && (!ok || part.end > end): // incomplete
			return false
		case !ok || part.end > inner || live && !partIDs[part.id]:
			return true
		case part.end == unknownEnd: // a live cluster: its parts are treated as the segment's
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

// element is the head of an element (RFC 8794, sections 4 to 6), with the start and the end of its data.
type element struct {
	id        uint32
	data, end int64
}

const unknownEnd = -1

// elementAt reads the head at a place. ok is false where the file ends before the data, or where there is no head.
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
	all := int64(1)<<(7*sizeLen) - 1 // means unknown
	if size &= all; size != all {
		e.end = e.data + size
	}
	return e, got >= idLen+sizeLen
}
