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

// pngChunks are the chunks of a PNG file that OpenCV needs: ISO 15948, section 11, and the EXIF data with the rotation.
var pngChunks = []string{"IHDR", "PLTE", "tRNS", "eXIf", "IDAT", "IEND"}

// plainPNG returns a PNG file with only the chunks that OpenCV needs, each complete: libpng prints to standard error
// about files that are too short or have an odd colour profile.
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

// cutPNG returns the error of a file that ends before its end chunk, or cannot be read.
func cutPNG(path string, err error) error {
	if err != nil && err != io.EOF {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return fmt.Errorf("read %s: damaged picture: the file is cut short; copy it again", path)
}
