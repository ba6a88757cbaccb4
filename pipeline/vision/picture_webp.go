package vision

import (
	"bytes"
	"encoding/binary"
	"io"

	"gocv.io/x/gocv"
)

// orientation is the value of EXIF's tag of this name: 1 to 8, or 0 where OpenCV puts the picture upright itself.
type orientation uint16

// webpOrientation reads the EXIF data of a WebP file (RFC 9649, section 2.7.1.5), which OpenCV ignores. Damaged data
// gives 1, upright.
func webpOrientation(file io.ReaderAt) orientation {
	const most = 1 << 20 // bytes of EXIF data
	for at := int64(12); ; {
		var head [8]byte
		if _, err := file.ReadAt(head[:], at); err != nil {
			return 1
		}
		size := int64(binary.LittleEndian.Uint32(head[4:]))
		if string(head[:4]) == "EXIF" {
			data := make([]byte, min(size, most))
			n, _ := file.ReadAt(data, at+8) // a short read gives what there is
			return exifOrientation(bytes.TrimPrefix(data[:n], []byte("Exif\x00\x00")))
		}
		at += 8 + size + size%2
	}
}

// exifOrientation finds the tag 0x112 in the first directory of EXIF data (TIFF 6.0, section 2).
func exifOrientation(data []byte) orientation {
	const tag, entry = 0x112, 12
	if len(data) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.LittleEndian
	if data[0] == 'M' {
		order = binary.BigEndian
	}
	at := int64(order.Uint32(data[4:]))
	if at+2 > int64(len(data)) {
		return 1
	}
	entries := data[at+2:]
	for range order.Uint16(data[at:]) {
		if len(entries) < entry {
			return 1
		}
		if v := orientation(order.Uint16(entries[8:])); order.Uint16(entries) == tag && v >= 1 && v <= 8 {
			return v
		}
		entries = entries[entry:]
	}
	return 1
}

// apply puts a picture upright.
func (o orientation) apply(mat *gocv.Mat) {
	const vertical, horizontal, both = 0, 1, -1 // OpenCV's codes of flips
	if o >= 5 {
		gocv.Transpose(*mat, mat)
	}
	switch o {
	case 2, 6:
		gocv.Flip(*mat, mat, horizontal)
	case 3, 7:
		gocv.Flip(*mat, mat, both)
	case 4, 8:
		gocv.Flip(*mat, mat, vertical)
	}
}
