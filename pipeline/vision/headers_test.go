package vision

import (
	"encoding/binary"
	"hash/crc32"
)

// pngSum is the checksum that follows a PNG chunk (ISO 15948, section 5.3).
func pngSum(chunk []byte) []byte {
	return binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(chunk))
}

// hugeBMP is the header of a picture of 40,000 by 40,000 pixels and no more.
func hugeBMP() []byte {
	header := make([]byte, 54)
	copy(header, "BM")
	for at, v := range map[int]uint32{2: 54, 10: 54, 14: 40, 18: 40_000, 22: 40_000, 26: 1 | 24<<16} {
		binary.LittleEndian.PutUint32(header[at:], v)
	}
	return header
}
