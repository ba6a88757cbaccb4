package vision

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	_ "image/png" // so that DecodeConfig knows the format
	"io"
	"os"

	"gocv.io/x/gocv"
	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	_ "golang.org/x/image/webp" // likewise

	"mindflow/pipeline/container"
)

// maxSide is the largest side in messages (web/PROTOCOL.md). OpenCV throws above 1,048,576.
const maxSide = 65_535

// reading is how OpenCV reads a file.
type reading struct {
	plain   []byte      // to be read instead of the file; nil means the file itself
	upright orientation // to be applied to what OpenCV gives
}

func (r reading) flags() gocv.IMReadFlag {
	if r.upright != 0 {
		return gocv.IMReadColor | gocv.IMReadIgnoreOrientation
	}
	return gocv.IMReadColor
}

// check is checkContent for a file.
func check(path string) (reading, error) {
	file, err := os.Open(path)
	if err != nil {
		return reading{}, fmt.Errorf("read picture: %w", err)
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil {
		return reading{}, fmt.Errorf("read picture: %w", err)
	} else if info.IsDir() {
		return reading{}, fmt.Errorf("read %s: it is a folder; name the picture files in it", path)
	} else if info.Mode().IsRegular() && info.Size() == 0 {
		return reading{}, fmt.Errorf("read %s: the file is empty; copy it again", path)
	}
	return checkContent(path, file)
}

// content is an open file, or the content of one.
type content interface {
	io.Reader
	io.ReaderAt
}

// checkContent finds faults, without decoding, that OpenCV does not report, or at which it ends the process: it
// throws at a header with too many pixels. So OpenCV gets only pictures of known size.
func checkContent(path string, file content) (how reading, err error) {
	config, format, err := image.DecodeConfig(peeker{file})
	if errors.Is(err, image.ErrFormat) {
		return how, notAPicture(path, file)
	}
	if isUnsupported(err) {
		return how, fmt.Errorf("read %s: a picture of a kind that is not supported (%w); save it as PNG or JPEG in "+
			"RGB", path, err)
	}
	if err != nil {
		return how, fmt.Errorf("read %s: damaged picture: %w", path, err)
	}
	if config.Width < 1 || config.Height < 1 {
		return how, fmt.Errorf("read %s: damaged picture: it is %d by %d pixels", path, config.Width, config.Height)
	}
	if config.Width > MaxPixels/config.Height {
		return how, fmt.Errorf("read %s: %d by %d pixels is over the limit of %d million; shrink it first",
			path, config.Width, config.Height, MaxPixels/1_000_000)
	}
	switch {
	case max(config.Width, config.Height) > maxSide:
		return how, fmt.Errorf("read %s: %d by %d pixels is over the limit of %d a side; cut or shrink it first",
			path, config.Width, config.Height, maxSide)
	case format == "webp" && isAnimation(file):
		return how, fmt.Errorf("read %s: it is an animation, which OpenCV does not read; save one of its pictures "+
			"as PNG first", path)
	case format == "jpeg" && !hasEnd(file):
		return how, fmt.Errorf("read %s: the file is cut short, and what is missing would be grey; copy it again, "+
			"or open and save it in another program", path)
	case format == "png":
		how.plain, err = plainPNG(path, file)
	case format == "webp":
		how.upright = webpOrientation(file)
	}
	return how, err
}

// isUnsupported reports whether an error of DecodeConfig is about a whole picture of an uncommon kind, such as TIFF in
// CMYK, Lab or floating point, or JPEG with 12 bits.
func isUnsupported(err error) bool {
	var inTIFF tiff.UnsupportedError
	var inJPEG jpeg.UnsupportedError
	return errors.As(err, &inTIFF) || errors.As(err, &inJPEG) ||
		errors.Is(err, bmp.ErrUnsupported)
}

// notAPicture returns an error with the kind of the file.
func notAPicture(path string, file io.ReaderAt) error {
	head := make([]byte, container.HeadSize)
	n, err := file.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read %s: %w", path, err)
	}
	switch container.Of(head[:n]) {
	case container.Unknown, container.Sound, container.Picture:
		return fmt.Errorf("read %s: not a picture of a known format; use JPEG, PNG, WebP, BMP or TIFF", path)
	case container.HEIF:
		return fmt.Errorf("read %s: a HEIC or AVIF picture, which is not read; convert it to JPEG", path)
	}
	return fmt.Errorf("read %s: it is a video or an animation; use mindflow video", path)
}

// isAnimation reports whether a WebP file is an animation, by a flag of its header (RFC 9649, section 2.7).
func isAnimation(file io.ReaderAt) bool {
	const animation = 1 << 1
	var head [21]byte
	_, err := file.ReadAt(head[:], 0)
	return err == nil && string(head[12:16]) == "VP8X" && head[20]&animation != 0
}

// hasEnd reports whether a JPEG file has its end marker (T.81, annex B). Data may follow it: phones append videos.
func hasEnd(file io.ReaderAt) bool {
	const most = 1 << 40
	r := bufio.NewReader(io.NewSectionReader(file, 2, most))
	for {
		// Before a marker there is coded data, in which 0xff is followed by 0 or a restart marker.
		if _, err := r.ReadSlice(0xff); err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return false
		} else if err != nil {
			continue
		}
		marker, err := r.ReadByte()
		switch {
		case err != nil:
			return false
		case marker == 0xd9:
			return true
		case marker == 0xff: // fill
			if err := r.UnreadByte(); err != nil {
				return false
			}
		case marker == 0 || marker == 1 || marker >= 0xd0 && marker <= 0xd8:
		default: // a segment, after its length
			var length [2]byte
			if _, err := io.ReadFull(r, length[:]); err != nil {
				return false
			}
			if _, err := r.Discard(max(0, int(binary.BigEndian.Uint16(length[:]))-2)); err != nil {
				return false
			}
		}
	}
}

// peeker keeps image.DecodeConfig from buffering the file: without a buffer the TIFF decoder reads at the offsets in
// the file, with one it allocates memory up to there, 8 GiB for 8 bytes.
type peeker struct{ content }

// Peek returns the first n bytes of the file, before any is read.
func (p peeker) Peek(n int) ([]byte, error) {
	head := make([]byte, n)
	got, err := p.ReadAt(head, 0)
	return head[:got], err
}
