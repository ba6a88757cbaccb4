// Package vision is what Mindflow takes from OpenCV: reading, drawing on and writing picture and video files.
// It is the only importer of gocv; OpenCV's memory stays inside it.
package vision

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"gocv.io/x/gocv"

	"mindflow/pipeline"
)

// MaxPixels bounds what is read.
const MaxPixels = 100_000_000

// live counts what is open of ours with memory in OpenCV: pictures, videos,
// recordings and cascades. Tests look that none is left.
var live atomic.Int64

// extensions are the formats that pictures are written in.
var extensions = []string{".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}

// Picture is a picture in OpenCV's memory. The goroutine that reads it closes it.
type Picture struct {
	mat   gocv.Mat
	steps [4]gocv.Mat    // owned by Frame: of the conversion
	frame pipeline.Frame // likewise
}

func newPicture(mat gocv.Mat) Picture {
	live.Add(1)
	p := Picture{mat: mat}
	for i := range p.steps {
		p.steps[i] = gocv.NewMat()
	}
	return p
}

// Read reads a JPEG, PNG, WebP, BMP or TIFF file, turned upright as its EXIF data says.
func Read(path string) (*Picture, error) {
	if err := check(path); err != nil {
		return nil, err
	}
	mat := gocv.IMRead(path, gocv.IMReadColor)
	if mat.Empty() {
		return nil, errors.Join(fmt.Errorf("read %s: damaged picture: OpenCV cannot decode it", path), mat.Close())
	}
	p := newPicture(mat)
	return &p, nil
}

// Decode is Read for what the file called name holds.
func Decode(name string, data []byte) (*Picture, error) {
	if err := checkContent(name, bytes.NewReader(data)); err != nil {
		return nil, err
	}
	mat, err := gocv.IMDecode(data, gocv.IMReadColor)
	if err != nil || mat.Empty() {
		return nil, errors.Join(fmt.Errorf("read %s: damaged picture: OpenCV cannot decode it", name), err, mat.Close())
	}
	p := newPicture(mat)
	return &p, nil
}

// Size is the picture's width and height in pixels.
func (p *Picture) Size() (w, h int) { return p.mat.Cols(), p.mat.Rows() }

// Frame converts the picture to a frame in Go's memory (full range, BT.601, chroma at the middle of its
// four pixels). Its luma is what OpenCV makes of the picture in grey. It is valid until the next call,
// which uses its memory again.
func (p *Picture) Frame() (*pipeline.Frame, error) {
	w, h := p.mat.Cols(), p.mat.Rows()
	from, even, grey, colour, half := p.mat, &p.steps[0], &p.steps[1], &p.steps[2], &p.steps[3]
	if w%2+h%2 > 0 { // so that all chroma samples stand for four pixels: repeat the last row and column
		gocv.CopyMakeBorder(p.mat, even, 0, h%2, 0, w%2, gocv.BorderReplicate, colours[0])
		from = *even
	}
	gocv.CvtColor(from, grey, gocv.ColorBGRToGray)
	gocv.CvtColor(from, colour, gocv.ColorBGRToYCrCb)
	f := &p.frame
	f.Width, f.Height, f.YStride, f.CStride, f.FullRange = w, h, w+w%2, (w+1)/2, true
	rows := (h + 1) / 2
	gocv.Resize(*colour, half, image.Pt(f.CStride, rows), 0, 0, gocv.InterpolationArea)
	luma, err := grey.DataPtrUint8()
	if err != nil {
		return nil, fmt.Errorf("convert picture: %w", err)
	}
	chroma, err := half.DataPtrUint8()
	if err != nil {
		return nil, fmt.Errorf("convert picture: %w", err)
	}
	if len(luma) != f.YStride*2*rows || len(chroma) != 3*f.CStride*rows {
		return nil, fmt.Errorf("convert picture: OpenCV gave %d and %d bytes for %d by %d", len(luma), len(chroma), w, h)
	}
	f.Y = append(f.Y[:0], luma...)
	f.U, f.V = f.U[:0], f.V[:0]
	for i := 0; i < len(chroma); i += 3 {
		f.V, f.U = append(f.V, chroma[i+1]), append(f.U, chroma[i+2])
	}
	return f, nil
}

// CheckWritable says whether Write knows the format that path's extension names. OpenCV ends the process
// at one that it does not know.
func CheckWritable(path string) error {
	if slices.Contains(extensions, strings.ToLower(filepath.Ext(path))) {
		return nil
	}
	return fmt.Errorf("write %s: the extension names no known format; use one of %s", path, strings.Join(extensions, " "))
}

// Write stores the picture in the format that path's extension names. It appears whole or not at all.
func (p *Picture) Write(path string) error {
	if err := CheckWritable(path); err != nil {
		return err
	}
	// Not to the file: on a full disk OpenCV takes half a BMP or WebP for written, and complains of others on stderr.
	data, err := gocv.IMEncode(gocv.FileExt(strings.ToLower(filepath.Ext(path))), p.mat)
	if err != nil {
		return fmt.Errorf("write %s: OpenCV could not encode it: %w", path, err)
	}
	defer data.Close()
	dir, name := filepath.Split(path)
	temp := dir + ".part-" + name // same folder, so that renaming is atomic
	err = os.WriteFile(temp, data.GetBytes(), 0o644)
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		_ = os.Remove(temp) // what is wrong is in err; it may not be there
		return fmt.Errorf("write %s: %w; see that the folder can be written and has space", path, err)
	}
	return nil
}

// Close frees OpenCV's memory. Call it once.
func (p *Picture) Close() error {
	live.Add(-1)
	err := p.mat.Close()
	for i := range p.steps {
		err = errors.Join(err, p.steps[i].Close())
	}
	return err
}
