package vision

import (
	"encoding/binary"
	"hash/crc32"
)

// pngSum is the checksum that follows a PNG chunk (ISO 15948, section 5.3).
func pngSum(chunk []byte) []byte {
	return binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(chunk))
}
