package vision

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

// pngChunks are what OpenCV reads of a PNG file: ISO 15948, section 11, and the EXIF data that turn the picture.
var pngChunks = []string{"IHDR", "PLTE", "tRNS", "eXIf", "IDAT", "IEND"}

// plainPNG gives a PNG file without what OpenCV does not need of it, each part whole: libpng prints lines of its own on
// standard error about a file that is cut, or whose colour profile it does not like.
func plainPNG(path string, file io.ReaderAt) ([]byte, error) {
	const most = 1 << 40
	var plain bytes.Buffer
	plain.WriteString(pngSignature)
	for at := int64(len(pngSignature)); ; {
		var head [8]byte
		if _, err := file.ReadAt(head[:], at); err != nil {
			return nil, cutPNG(path, err)
		}
		kind, whole := string(head[4:]), int64(len(head))+int64(binary.BigEndian.Uint32(head[:]))+4 // with its checksum
		if whole > most-at {
			return nil, cutPNG(path, io.EOF)
		}
		if !slices.Contains(pngChunks, kind) {
			at += whole
			continue
		}
		begin := plain.Len()
		if n, err := io.Copy(&plain, io.NewSectionReader(file, at, whole)); err != nil || n < whole {
			return nil, cutPNG(path, err)
		}
		chunk := plain.Bytes()[begin:]
		if sum := len(chunk) - 4; crc32.ChecksumIEEE(chunk[4:sum]) != binary.BigEndian.Uint32(chunk[sum:]) {
			return nil, fmt.Errorf("read %s: damaged picture: its part %s at %d is not what was written; copy it again",
				path, kind, at)
		}
		if kind == "IEND" {
			return plain.Bytes(), nil
		}
		at += whole
	}
}

// cutPNG is about a file that ends before its end chunk, or cannot be read.
func cutPNG(path string, err error) error {
	if err != nil && err != io.EOF {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return fmt.Errorf("read %s: damaged picture: the file is cut short; copy it again", path)
}
