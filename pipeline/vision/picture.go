// Package vision reads, draws on and writes picture and video files with OpenCV, and detects faces with its cascades.
// It is the only importer of gocv, and OpenCV's memory stays inside of it.
package vision

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"gocv.io/x/gocv"

	"mindflow/pipeline"
)

// MaxPixels is the largest number of pixels of a picture that is read.
const MaxPixels = 100_000_000

var live atomic.Int64

// Live returns the number of open pictures, recordings and cascades, each with memory in OpenCV.
func Live() int64 { return live.Load() }

// extensions lists the formats in which pictures are written.
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

// Read reads a JPEG, PNG, WebP, BMP or TIFF file, put upright as its EXIF data says.
func Read(path string) (*Picture, error) {
	how, err := check(path)
	if err != nil {
		return nil, err
	}
	if how.plain != nil {
		return decode(path, how.plain, how)
	}
	return pictureOf(path, gocv.IMRead(path, how.flags()), how)
}

// Decode is Read for the content of the file called name.
func Decode(name string, data []byte) (*Picture, error) {
	how, err := checkContent(name, bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	if how.plain != nil {
		data = how.plain
	}
	return decode(name, data, how)
}

func decode(name string, data []byte, how reading) (*Picture, error) {
	mat, err := gocv.IMDecode(data, how.flags())
	if err != nil {
		return nil, errors.Join(cannotDecode(name), err, mat.Close())
	}
	return pictureOf(name, mat, how)
}

func pictureOf(name string, mat gocv.Mat, how reading) (*Picture, error) {
	if mat.Empty() {
		return nil, errors.Join(cannotDecode(name), mat.Close())
	}
	how.upright.apply(&mat)
	p := newPicture(mat)
	return &p, nil
}

func cannotDecode(name string) error {
	return fmt.Errorf("read %s: damaged picture: OpenCV cannot decode it", name)
}

// Size returns the picture's width and height in pixels.
func (p *Picture) Size() (w, h int) { return p.mat.Cols(), p.mat.Rows() }

// CheckWritable returns an error unless Write knows the format of path's extension. OpenCV ends the process at an
// unknown one.
func CheckWritable(path string) error {
	if slices.Contains(extensions, strings.ToLower(filepath.Ext(path))) {
		return nil
	}
	return fmt.Errorf("write %s: the extension names no known format; use one of %s", path,
		strings.Join(extensions, " "))
}

// Write stores the picture in the format of path's extension. The file appears complete or not at all.
func (p *Picture) Write(path string) error {
	if err := CheckWritable(path); err != nil {
		return err
	}
	// In memory, not to the file: on a full disk OpenCV reports success for half a BMP or WebP, and prints errors of
	// other formats to stderr.
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
		_ = os.Remove(temp) // err has the cause; the file may not exist
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
