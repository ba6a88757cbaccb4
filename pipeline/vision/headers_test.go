package vision

import (
	"bytes"
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

// pngChunk is a part of a PNG file.
func pngChunk(kind string, data []byte) []byte {
	chunk := append(binary.BigEndian.AppendUint32(nil, uint32(len(data))), kind...)
	chunk = append(chunk, data...)
	return append(chunk, pngSum(chunk[4:])...)
}

// badProfile is a colour profile that libpng does not like.
func badProfile() []byte { return pngChunk("iCCP", []byte("profile\x00\x00what is no profile")) }

// pngTurned is EXIF data of a picture that was taken with the camera on its side.
func pngTurned() []byte {
	return pngChunk("eXIf",
		[]byte("MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"))
}

func flipped(data []byte, at int) []byte {
	data = bytes.Clone(data)
	data[at] ^= 1
	return data
}
