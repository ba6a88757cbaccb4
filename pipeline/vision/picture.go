// Package vision is what Mindflow takes from OpenCV: reading, drawing on and writing picture and video files.
// It is the only importer of gocv; OpenCV's memory stays inside it.
package vision

import (
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // so that DecodeConfig knows the format
	_ "image/png"  // likewise
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gocv.io/x/gocv"
	_ "golang.org/x/image/bmp"  // likewise
	_ "golang.org/x/image/tiff" // likewise
	_ "golang.org/x/image/webp" // likewise

	"mindflow/pipeline"
)

// MaxPixels bounds what is read.
const MaxPixels = 100_000_000

// extensions are the formats that pictures are written in.
var extensions = []string{".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}

// Picture is a picture in OpenCV's memory. The goroutine that reads it closes it.
type Picture struct {
	mat       gocv.Mat
	even, yuv gocv.Mat       // owned by Frame: steps of the conversion
	frame     pipeline.Frame // likewise
}

func newPicture(mat gocv.Mat) Picture {
	return Picture{mat: mat, even: gocv.NewMat(), yuv: gocv.NewMat()}
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

// check finds out, without decoding, what OpenCV would answer with silence, or by ending the process: it
// throws at a header that states too many pixels. So no file reaches it whose size is not known.
func check(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read picture: %w", err)
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil {
		return fmt.Errorf("read picture: %w", err)
	} else if info.IsDir() {
		return fmt.Errorf("read %s: it is a folder; name the picture files in it", path)
	}
	config, _, err := image.DecodeConfig(file)
	if errors.Is(err, image.ErrFormat) {
		return fmt.Errorf("read %s: not a picture of a known format; use JPEG, PNG, WebP, BMP or TIFF", path)
	}
	if err != nil {
		return fmt.Errorf("read %s: damaged picture: %w", path, err)
	}
	if config.Width < 1 || config.Height < 1 {
		return fmt.Errorf("read %s: damaged picture: it is %d by %d pixels", path, config.Width, config.Height)
	}
	if config.Width > MaxPixels/config.Height {
		return fmt.Errorf("read %s: %d by %d pixels is over the limit of %d million; shrink it first",
			path, config.Width, config.Height, MaxPixels/1_000_000)
	}
	return nil
}

// Size is the picture's width and height in pixels.
func (p *Picture) Size() (w, h int) { return p.mat.Cols(), p.mat.Rows() }

// Frame converts the picture to a frame in Go's memory (limited range, BT.601). It is valid until the
// next call, which uses its memory again.
func (p *Picture) Frame() (*pipeline.Frame, error) {
	w, h := p.mat.Cols(), p.mat.Rows()
	from := p.mat
	if w%2+h%2 > 0 { // OpenCV converts even sizes only: repeat the last row and column
		gocv.CopyMakeBorder(p.mat, &p.even, 0, h%2, 0, w%2, gocv.BorderReplicate, colours[0])
		from = p.even
	}
	gocv.CvtColor(from, &p.yuv, gocv.ColorBGRToYUVI420)
	data, err := p.yuv.DataPtrUint8()
	if err != nil {
		return nil, fmt.Errorf("convert picture: %w", err)
	}
	stride := w + w%2
	luma := stride * (h + h%2)
	if len(data) != luma*3/2 {
		return nil, fmt.Errorf("convert picture: OpenCV gave %d bytes for %d by %d", len(data), w, h)
	}
	p.frame.CopyFrom(&pipeline.Frame{
		Width: w, Height: h, YStride: stride, CStride: stride / 2,
		Y: data[:luma], U: data[luma : luma*5/4], V: data[luma*5/4:],
	})
	return &p.frame, nil
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
	dir, name := filepath.Split(path)
	temp := dir + ".part-" + name // same folder, so that renaming is atomic; same extension, which names the format
	defer os.Remove(temp)         // gone already when all went well
	if !gocv.IMWrite(temp, p.mat) {
		return fmt.Errorf("write %s: OpenCV could not write it; check the folder and the space in it", path)
	}
	if err := os.Rename(temp, path); err != nil {
		return fmt.Errorf("write picture: %w", err)
	}
	return nil
}

// Close frees OpenCV's memory.
func (p *Picture) Close() error {
	return errors.Join(p.mat.Close(), p.even.Close(), p.yuv.Close())
}
